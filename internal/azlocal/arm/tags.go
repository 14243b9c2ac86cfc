package arm

import (
	"net/http"
	"strings"
	"unicode/utf8"

	"mngr/internal/azlocal/doc"
)

// Limits of tags (documentation: tag-resources).
const (
	maxTags     = 50
	maxTagName  = 512
	maxTagValue = 256
)

// ReadTags takes the tags of a body and checks them. The codes of the first three refusals
// are not documented; the last is.
func ReadTags(body doc.Object) (map[string]string, error) {
	tags := map[string]string{}
	for name, v := range body.Obj("tags") {
		value, ok := v.(string)
		if !ok && v != nil {
			return nil, Gatewayf(http.StatusBadRequest, "InvalidRequestContent",
				"The request content was invalid and could not be deserialized: the value of the tag '%s' is no string.", name)
		}
		tags[name] = value
	}
	return tags, CheckTags(tags)
}

// CheckTags refuses tags that ARM refuses.
func CheckTags(tags map[string]string) error {
	bad := func(code, format string, args ...any) error {
		return Gatewayf(http.StatusBadRequest, code, format, args...)
	}
	if len(tags) > maxTags {
		return bad("InvalidTagCount", "The number of tags %d exceeds the maximum of %d.", len(tags), maxTags)
	}
	seen := map[string]bool{}
	for name, value := range tags {
		folded := strings.ToLower(name)
		switch {
		case name == "" || utf8.RuneCountInString(name) > maxTagName:
			return bad("InvalidTagName", "The tag name '%s' is empty or exceeds the maximum length of %d characters.", name, maxTagName)
		case utf8.RuneCountInString(value) > maxTagValue:
			return bad("InvalidTagValue", "The value of the tag '%s' exceeds the maximum length of %d characters.", name, maxTagValue)
		case strings.ContainsAny(name, `<>%&\?/`) || strings.ContainsFunc(name, func(r rune) bool { return r < ' ' || r == 0x7f }):
			return bad("InvalidTagNameCharacters", `The tag names '%s' have reserved characters '<,>,%%,&,\,?,/' or control characters.`, name)
		case strings.HasPrefix(folded, "microsoft") || strings.HasPrefix(folded, "azure") || strings.HasPrefix(folded, "windows"):
			return bad("InvalidTagName", "The tag name '%s' starts with a reserved prefix.", name)
		case seen[folded]:
			return bad("InvalidTagName", "The tag name '%s' is given twice.", name)
		}
		seen[folded] = true
	}
	return nil
}
