package records

import (
	"strconv"
	"time"

	"mngr/internal/agent"
)

// StoppedByUser is the value of the tag StoppedBy on a host that a user has stopped.
const StoppedByUser = "user"

// longestRun bounds what a tag may claim: a century.
const longestRun = 100 * 365 * 24 * 3600

// EncodeRun returns the tags of a run, which belong together and are written in one merge;
// none for one that is not known.
func EncodeRun(r agent.Run) map[string]string {
	if !r.Known {
		return nil
	}
	return map[string]string{
		RunSeconds: strconv.FormatFloat(r.Counted.Seconds(), 'f', 3, 64),
		StartedAt:  r.Since.UTC().Format("2006-01-02T15:04:05.000000Z07:00"),
	}
}

// RunTags are the names of the tags of a run.
func RunTags() []string { return []string{RunSeconds, StartedAt} }

// decodeRun reads the tags of a run. One without the other, or with a value that nobody
// has written so, is not known: a guess would be money.
func decodeRun(seconds, since, stoppedBy string) agent.Run {
	counted, err := strconv.ParseFloat(seconds, 64)
	if err != nil || !(counted >= 0 && counted <= longestRun) {
		return agent.Run{}
	}
	at, err := time.Parse(time.RFC3339Nano, since)
	if err != nil {
		return agent.Run{}
	}
	return agent.Run{
		Known: true, Counted: time.Duration(counted * float64(time.Second)), Since: at.UTC(), Closed: stoppedBy == StoppedByUser,
	}
}
