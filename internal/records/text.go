package records

import (
	"bytes"
	"compress/flate"
	"encoding/ascii85"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxText bounds a record's JSON in bytes: what a host's 50 tags can hold packs at most
// to this, and a forged one unpacks to no more.
const maxText = 64 << 10

// dictionary is what every record has in common; it is part of the format, and must not
// change while records exist that were packed with it.
const dictionary = `"remote":"https://github.com/"remote":"git@github.com:","project":"{"name":"","type":"command","labels":{"`

// split makes tag values of a record's JSON. What fits into one stays readable: ASCII
// JSON. What does not is deflated and written as ASCII85, in which no value begins or
// ends with a space and a character beyond ASCII costs one or two of Azure's instead of
// six: thirty agents, two of them with labels of 2,000 characters, would otherwise need
// more than 50 tags.
func split(text []byte) []string {
	if whole := head(1, asciiJSON(text)) + asciiJSON(text); len(whole) <= maxValue {
		return []string{whole}
	}
	packed := pack(text)
	count := 1
	for len(head(count, packed))+len(packed) > count*maxValue {
		count++
	}
	whole := head(count, packed) + packed
	var values []string
	for len(whole) > 0 {
		end := min(maxValue, len(whole))
		values = append(values, whole[:end])
		whole = whole[end:]
	}
	return values
}

func head(count int, text string) string {
	return fmt.Sprintf("%d:%08x:", count, crc32.ChecksumIEEE([]byte(text)))
}

// join is the reverse of split; false when the parts do not belong together.
func join(part func(int) (string, bool)) ([]byte, bool) {
	first, _ := part(0)
	countText, rest, ok1 := strings.Cut(first, ":")
	sumText, text, ok2 := strings.Cut(rest, ":")
	count, err := strconv.Atoi(countText)
	if !ok1 || !ok2 || err != nil || count < 1 || count > maxTags {
		return nil, false
	}
	for i := 1; i < count; i++ {
		more, ok := part(i)
		if !ok {
			return nil, false
		}
		text += more
	}
	sum, err := strconv.ParseUint(sumText, 16, 32)
	if err != nil || uint32(sum) != crc32.ChecksumIEEE([]byte(text)) {
		return nil, false
	}
	if strings.HasPrefix(text, "{") { // which ASCII85 does not have
		return []byte(text), true
	}
	return unpack(text)
}

func pack(text []byte) string {
	var deflated bytes.Buffer
	w, err := flate.NewWriterDict(&deflated, flate.BestCompression, []byte(dictionary))
	if err == nil {
		_, err = w.Write(text)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil { // a known level and a buffer: neither can fail
		panic(err)
	}
	packed := make([]byte, ascii85.MaxEncodedLen(deflated.Len()))
	return string(packed[:ascii85.Encode(packed, deflated.Bytes())])
}

func unpack(s string) ([]byte, bool) {
	deflated := make([]byte, 4*len(s)) // a z stands for four bytes
	n, _, err := ascii85.Decode(deflated, []byte(s), true)
	if err != nil {
		return nil, false
	}
	r := flate.NewReaderDict(bytes.NewReader(deflated[:n]), []byte(dictionary))
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	return text, err == nil && len(text) <= maxText
}

// asciiJSON escapes everything beyond ASCII: Azure counts characters, other tools bytes.
func asciiJSON(text []byte) string {
	var b strings.Builder
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r < 0x7f: // DEL is a control character too
			b.WriteByte(text[0])
		case r > 0xFFFF:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xD800+(r>>10), 0xDC00+(r&0x3FF))
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
		text = text[n:]
	}
	return b.String()
}
