package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
)

// Decoder reads objects that Append has written: several times as fast as encoding/json,
// and the keys and short words of all objects share their memory. What it reads must be
// valid JSON without white space; it is not for requests. It is not safe for concurrent use.
type Decoder struct {
	words map[string]string
	data  []byte
	at    int
}

// maxWord is how long a value may be that is likely to come again, such as "Succeeded".
const maxWord = 24

// maxWords keeps values that never come again from filling the memory.
const maxWords = 4096

var errForm = errors.New("the document is broken")

// Object reads one object.
func (d *Decoder) Object(data []byte) (Object, error) {
	d.data, d.at = data, 0
	v, err := d.value()
	if err != nil {
		return nil, err
	}
	o, ok := v.(Object)
	if !ok || d.at != len(data) {
		return nil, errForm
	}
	return o, nil
}

func (d *Decoder) peek() byte {
	if d.at < len(d.data) {
		return d.data[d.at]
	}
	return 0
}

func (d *Decoder) value() (any, error) {
	switch d.peek() {
	case '{':
		return d.object()
	case '[':
		return d.list()
	case '"':
		return d.text(maxWord)
	case 't':
		return true, d.word("true")
	case 'f':
		return false, d.word("false")
	case 'n':
		return nil, d.word("null")
	}
	return d.number()
}

func (d *Decoder) word(w string) error {
	if !bytes.HasPrefix(d.data[d.at:], []byte(w)) {
		return errForm
	}
	d.at += len(w)
	return nil
}

func (d *Decoder) number() (any, error) {
	from := d.at
	for d.at < len(d.data) && bytes.IndexByte([]byte("+-.0123456789eE"), d.data[d.at]) >= 0 {
		d.at++
	}
	return strconv.ParseFloat(string(d.data[from:d.at]), 64)
}

func (d *Decoder) object() (any, error) {
	o := Object{}
	for d.at++; d.peek() != '}'; {
		key, err := d.text(len(d.data))
		if err != nil {
			return nil, err
		}
		if d.peek() != ':' {
			return nil, errForm
		}
		d.at++
		if o[key], err = d.value(); err != nil {
			return nil, err
		}
		if err := d.next('}'); err != nil {
			return nil, err
		}
	}
	d.at++
	return o, nil
}

func (d *Decoder) list() (any, error) {
	list := []any{}
	for d.at++; d.peek() != ']'; {
		v, err := d.value()
		if err != nil {
			return nil, err
		}
		list = append(list, v)
		if err := d.next(']'); err != nil {
			return nil, err
		}
	}
	d.at++
	return list, nil
}

// next passes a comma, or stays before the end of an object or list.
func (d *Decoder) next(end byte) error {
	switch d.peek() {
	case ',':
		d.at++
		return nil
	case end:
		return nil
	}
	return errForm
}

// text reads a string. One of at most share bytes is kept to be shared.
func (d *Decoder) text(share int) (string, error) {
	if d.peek() != '"' {
		return "", errForm
	}
	from := d.at
	for i := from + 1; i < len(d.data); i++ {
		switch d.data[i] {
		case '\\':
			i++
			continue
		case '"':
		default:
			continue
		}
		d.at = i + 1
		raw := d.data[from+1 : i]
		if bytes.IndexByte(raw, '\\') >= 0 {
			var s string
			err := json.Unmarshal(d.data[from:d.at], &s)
			return s, err
		}
		return d.shared(raw, share), nil
	}
	return "", errForm
}

func (d *Decoder) shared(raw []byte, share int) string {
	if s, ok := d.words[string(raw)]; ok {
		return s
	}
	s := string(raw)
	if len(s) <= share && len(d.words) < maxWords {
		if d.words == nil {
			d.words = map[string]string{}
		}
		d.words[s] = s
	}
	return s
}
