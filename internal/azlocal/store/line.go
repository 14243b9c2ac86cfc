package store

import (
	"bufio"
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"strconv"
)

// A line is the CRC-32 of what follows in hexadecimal digits, a space, and a JSON array of
// the writes: {"k":key,"v":value}, without "v" for a removal.
const head = len("01234567 ")

// encode makes the line of a transaction. places are relative to its beginning.
func encode(writes []Write) (line []byte, places []place) {
	size := head + 3
	for _, w := range writes {
		size += len(w.Key) + len(w.Value) + 16
	}
	line, places = make([]byte, head, size), make([]place, len(writes))
	for i, w := range writes {
		line = append(line, "[,"[min(i, 1)])
		line = append(line, `{"k":`...)
		key, _ := json.Marshal(w.Key) // a string can always be encoded
		line = append(line, key...)
		if w.Value != nil {
			line = append(line, `,"v":`...)
			places[i] = place{int64(len(line)), int32(len(w.Value))} //nolint:gosec // a request has at most 4 MB
			line = append(line, w.Value...)
		}
		line = append(line, '}')
	}
	line = append(line, ']')
	sum := crc32.ChecksumIEEE(line[head:])
	hex.Encode(line, []byte{byte(sum >> 24), byte(sum >> 16), byte(sum >> 8), byte(sum)}) //nolint:gosec // each byte of it
	line[head-1] = ' '
	return append(line, '\n'), places
}

// load applies every line. Only the last may be broken.
func (s *Store) load() error {
	r := bufio.NewReaderSize(s.file, 1<<20)
	var line []byte
	for {
		var err error
		if line, err = readLine(r, line[:0]); errors.Is(err, io.EOF) {
			return s.file.Truncate(s.size)
		}
		if err != nil {
			return fmt.Errorf("read the store: %w", err)
		}
		if err := s.applyLine(line); err != nil {
			if _, more := r.Peek(1); errors.Is(more, io.EOF) {
				return s.file.Truncate(s.size)
			}
			return fmt.Errorf("%w: %s at byte %d: %w", ErrDamaged, s.path, s.size, err)
		}
		s.size += int64(len(line))
	}
}

// readLine appends a line with its end to buf.
func readLine(r *bufio.Reader, buf []byte) ([]byte, error) {
	for {
		part, err := r.ReadSlice('\n')
		buf = append(buf, part...)
		if !errors.Is(err, bufio.ErrBufferFull) {
			return buf, err
		}
	}
}

// applyLine checks a line and takes over its writes, all or none.
func (s *Store) applyLine(line []byte) error {
	if len(line) < head+3 || line[head-1] != ' ' {
		return errors.New("no checksum")
	}
	want, err := strconv.ParseUint(string(line[:head-1]), 16, 32)
	if err != nil || uint32(want) != crc32.ChecksumIEEE(line[head:len(line)-1]) {
		return errors.New("wrong checksum")
	}
	type change struct {
		key     string
		at      place
		present bool
	}
	var changes []change
	err = eachWrite(line, func(key string, from, to int) {
		changes = append(changes, change{key, place{s.size + int64(from), int32(to - from)}, to > 0}) //nolint:gosec // a line has at most some MB
	})
	if err != nil {
		return err
	}
	for _, c := range changes {
		s.apply(c.key, c.at, c.present)
	}
	return nil
}

var errForm = errors.New("a line of another form")

// eachWrite finds the writes of a line whose checksum is right. from and to bound the
// value in the line, both 0 for a removal. It trusts the values to be JSON.
func eachWrite(line []byte, found func(key string, from, to int)) error {
	i := head
	if line[i] != '[' {
		return errForm
	}
	for line[i] != ']' {
		i++ // "[" or ","
		if !bytes.HasPrefix(line[i:], []byte(`{"k":"`)) {
			return errForm
		}
		i += len(`{"k":`)
		end := skipString(line, i)
		if end < 0 {
			return errForm
		}
		var key string
		if err := json.Unmarshal(line[i:end], &key); err != nil {
			return fmt.Errorf("read a key: %w", err)
		}
		from, to := 0, 0
		if bytes.HasPrefix(line[end:], []byte(`,"v":`)) {
			from = end + len(`,"v":`)
			if to = skipValue(line, from); to < 0 {
				return errForm
			}
			end = to
		}
		if line[end] != '}' || line[end+1] != ',' && line[end+1] != ']' {
			return errForm
		}
		found(key, from, to)
		i = end + 1
	}
	return nil
}

// skipValue returns where the JSON value that begins at i ends, -1 when it does not.
func skipValue(data []byte, i int) int {
	for depth := 0; i >= 0 && i < len(data); {
		switch data[i] {
		case '"':
			i = skipString(data, i)
		case '{', '[':
			depth, i = depth+1, i+1
			continue
		case '}', ']':
			if depth == 0 {
				return i // of what encloses a number or a word
			}
			depth, i = depth-1, i+1
		case ',':
			if depth == 0 {
				return i
			}
			i++
			continue
		default:
			i++
			continue
		}
		if depth == 0 {
			return i
		}
	}
	return -1
}

// skipString returns where the JSON string that begins at i ends, -1 when it does not.
func skipString(data []byte, i int) int {
	for from := i + 1; from < len(data); {
		next := bytes.IndexByte(data[from:], '"')
		if next < 0 {
			return -1
		}
		end := from + next
		slashes := 0
		for data[end-1-slashes] == '\\' {
			slashes++
		}
		from = end + 1
		if slashes%2 == 0 {
			return from
		}
	}
	return -1
}
