package agent

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// maxLabelKey keeps the keys of labels, which head columns, short.
const maxLabelKey = 63

// CheckLabels refuses what cannot be a label: a key that is empty, too long or not
// printable, and values that are not text.
func CheckLabels(labels map[string]string) error {
	for key, value := range labels {
		if err := CheckLabelKey(key); err != nil {
			return err
		}
		if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
			return Errorf(KindUsage, "the value of label %q is no text", key)
		}
	}
	return nil
}

// CheckLabelKey refuses what cannot be the key of a label.
func CheckLabelKey(key string) error {
	switch {
	case key == "":
		return Errorf(KindUsage, "the key of a label is empty")
	case utf8.RuneCountInString(key) > maxLabelKey:
		return Errorf(KindUsage, "the key of label %.20q… is longer than %d characters", key, maxLabelKey)
	case !utf8.ValidString(key), strings.ContainsFunc(key, func(r rune) bool { return !unicode.IsPrint(r) || r == '=' }):
		return Errorf(KindUsage, "the key of label %q has a character that no key may have", key)
	}
	return nil
}

// CheckNewName refuses a name for an agent or a host that would be taken for an id.
func CheckNewName(what, name string) error {
	if err := CheckName(what, name); err != nil {
		return err
	}
	if idPattern.MatchString(name) || hostIDPattern.MatchString(name) {
		return Errorf(KindUsage, "%s name %q looks like an id", what, name)
	}
	return nil
}
