package arm

import (
	"strings"
)

// CheckMatch applies If-Match and If-None-Match of a write. etag is "" when the resource
// does not exist.
func CheckMatch(r *Request, id, etag string) error {
	if want := r.Header.Get("If-None-Match"); want != "" && etag != "" {
		if want == "*" || sameTag(want, etag) {
			return Precondition(id)
		}
	}
	if want := r.Header.Get("If-Match"); want != "" {
		if etag == "" || (want != "*" && !sameTag(want, etag)) {
			return Precondition(id)
		}
	}
	return nil
}

func sameTag(list, etag string) bool {
	for one := range strings.SplitSeq(list, ",") {
		if bare(one) == bare(etag) {
			return true
		}
	}
	return false
}

// bare strips the weakness mark and quotes: clients send tags in every spelling.
func bare(etag string) string {
	return strings.Trim(strings.TrimPrefix(strings.TrimSpace(etag), "W/"), `"`)
}
