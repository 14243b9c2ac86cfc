package doc

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"
	"strconv"
)

// Decoder reads objects that Append has written: several times as fast as encoding/json,
// and the keys and short words of all objects share their memory. What it reads must be
// valid JSON without white space; it is not for requests. It is not safe for concurrent use.
type Decoder struct {
	words  map[string]string
	data   []byte
	at     int
	levels int // of objects and lists that are still decoded
}

// maxWord is how long a value may be that is likely to come again, such as "Succeeded".
const maxWord = 24

// maxWords keeps values that never come again from filling the memory.
const maxWords = 4096

var errForm = errors.New("the document is broken")

// Object reads one object.
func (d *Decoder) Object(data []byte) (Object, error) { return d.Skim(data, math.MaxInt) }

// Skim reads the outer levels of an object. The objects and lists below them stay as they
// are written, as json.RawMessage that shares data: Append copies them, and the methods of
// Object do not look into them.
func (d *Decoder) Skim(data []byte, levels int) (Object, error) {
	d.data, d.at, d.levels = data, 0, levels
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
		return d.nested((*Decoder).object)
	case '[':
		return d.nested((*Decoder).list)
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

// nested reads an object or list, or leaves it as it is when it lies too deep.
func (d *Decoder) nested(read func(*Decoder) (any, error)) (any, error) {
	if d.levels == 0 {
		return d.raw()
	}
	d.levels--
	v, err := read(d)
	d.levels++
	return v, err
}

// raw passes over an object or list. Only where it ends is looked for.
func (d *Decoder) raw() (any, error) {
	from := d.at
	for depth := 0; d.at < len(d.data); {
		switch d.data[d.at] {
		case '"':
			if err := d.skipText(); err != nil {
				return nil, err
			}
			continue
		case '{', '[':
			depth++
		case '}', ']':
			depth--
		}
		d.at++
		if depth == 0 {
			return json.RawMessage(d.data[from:d.at:d.at]), nil
		}
	}
	return nil, errForm
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
	if err := d.skipText(); err != nil {
		return "", err
	}
	raw := d.data[from+1 : d.at-1]
	if bytes.IndexByte(raw, '\\') >= 0 {
		var s string
		err := json.Unmarshal(d.data[from:d.at], &s)
		return s, err
	}
	return d.shared(raw, share), nil
}

// skipText passes over a string that begins here.
func (d *Decoder) skipText() error {
	for i := d.at + 1; i < len(d.data); i++ {
		next := bytes.IndexByte(d.data[i:], '"')
		if next < 0 {
			break
		}
		i += next
		slashes := 0
		for d.data[i-1-slashes] == '\\' {
			slashes++
		}
		if slashes%2 == 0 {
			d.at = i + 1
			return nil
		}
	}
	return errForm
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
