package cli

import (
	"cmp"
	"os"
	"strings"
)

// maker is who works here, as others see it at Azure: "ann@laptop". What cannot stand in
// the comment of a key is left out.
func maker(lookup func(string) (string, bool)) string {
	user, _ := lookup("USER")
	if user == "" {
		user, _ = lookup("LOGNAME")
	}
	host, err := os.Hostname()
	if err != nil {
		host = ""
	}
	return cmp.Or(plainWord(user), "somebody") + "@" + cmp.Or(plainWord(host), "somewhere")
}

// mostMakerWord bounds each half of a maker.
const mostMakerWord = 32

func plainWord(s string) string {
	s = strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("._-", r) {
			return r
		}
		return -1
	}, s)
	return s[:min(len(s), mostMakerWord)]
}
