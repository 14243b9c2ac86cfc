package fleet

import (
	"context"
	"time"
)

// pollInterval is the time between two questions to Azure about one machine; Compute
// allows 36 reads at once and 12 more each minute and VM (Microsoft, "Throttling limits for Compute").
const pollInterval = 3 * time.Second

// pause waits one interval or until ctx ends.
func pause(ctx context.Context) error {
	timer := time.NewTimer(pollInterval)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
