package dockerflags

import (
	"fmt"
	"strings"
)

// Flag is one flag of a command line.
type Flag struct {
	Name  string // long name, or the letter of one that was given short and is unknown
	Value string // "true" for a switch without a value
	Raw   string // as it was written, for messages
	Known bool   // the table has it
}

// Argv is the flag in the form that leaves nothing to a parser's judgment.
func (f Flag) Argv() string { return "--" + f.Name + "=" + f.Value }

// Table is what a command's parser knows.
type Table struct {
	switches   map[string]bool // take no value
	valued     map[string]bool
	shorthands map[byte]string
}

func words(s string) map[string]bool {
	set := map[string]bool{}
	for word := range strings.FieldsSeq(s) {
		set[word] = true
	}
	return set
}

func (t Table) known(name string) bool { return t.switches[name] || t.valued[name] }

// Parse takes args apart into flags and the words that are none, in any order, as
// spf13/pflag does; it knows no abbreviations of long names either. A flag that is not in
// the table is taken for a switch, and marked.
func (t Table) Parse(args []string) (flags []Flag, positional []string, err error) {
	for len(args) > 0 {
		arg := args[0]
		args = args[1:]
		switch {
		case strings.ContainsRune(arg, 0):
			return nil, nil, fmt.Errorf("%q holds a NUL byte", arg)
		case arg == "--":
			return flags, append(positional, args...), nil
		case arg == "-" || !strings.HasPrefix(arg, "-"):
			positional = append(positional, arg)
		case strings.HasPrefix(arg, "--"):
			flags, args, err = t.long(flags, arg, args)
		default:
			flags, args, err = t.short(flags, arg, args)
		}
		if err != nil {
			return nil, nil, err
		}
	}
	return flags, positional, nil
}

func (t Table) long(flags []Flag, arg string, rest []string) ([]Flag, []string, error) {
	name, value, assigned := strings.Cut(arg[2:], "=")
	switch {
	case assigned:
		return append(flags, Flag{name, value, arg, t.known(name)}), rest, nil
	case !t.valued[name]:
		return append(flags, Flag{name, "true", arg, t.known(name)}), rest, nil
	}
	return t.next(flags, name, arg, rest)
}

// next lets a flag take the next word as its value, whatever that looks like.
func (t Table) next(flags []Flag, name, arg string, rest []string) ([]Flag, []string, error) {
	if len(rest) == 0 {
		return nil, nil, fmt.Errorf("%s lacks its value", arg)
	}
	if strings.ContainsRune(rest[0], 0) {
		return nil, nil, fmt.Errorf("%q holds a NUL byte", rest[0])
	}
	return append(flags, Flag{name, rest[0], arg + " " + rest[0], true}), rest[1:], nil
}

// short reads one argument of letters: switches, the last of which may be a flag that
// takes the rest of the argument, or the next argument, as its value.
func (t Table) short(flags []Flag, arg string, rest []string) ([]Flag, []string, error) {
	for letters := arg[1:]; letters != ""; letters = letters[1:] {
		name, known := t.shorthands[letters[0]]
		if !known {
			name = letters[:1]
		}
		switch {
		case len(letters) > 2 && letters[1] == '=':
			return append(flags, Flag{name, letters[2:], arg, known}), rest, nil
		case !t.valued[name]:
			flags = append(flags, Flag{name, "true", arg, known})
		case len(letters) > 1:
			return append(flags, Flag{name, letters[1:], arg, known}), rest, nil
		default:
			return t.next(flags, name, arg, rest)
		}
	}
	return flags, rest, nil
}
