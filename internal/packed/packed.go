// Package packed writes and reads what this module seals for itself: texts,
// numbers and times one behind the other, each with its length, without names.
// What is read with every request of a browser should cost little. It is no
// format for what comes from elsewhere: only a seal says that it was written by
// the same version of the same code.
package packed

import (
	"encoding/binary"
	"time"
)

// A Writer puts values one behind the other. The zero value is ready.
type Writer struct{ out []byte }

// Text writes a text.
func (w *Writer) Text(s string) {
	w.out = binary.AppendUvarint(w.out, uint64(len(s)))
	w.out = append(w.out, s...)
}

// Texts writes a list of texts.
func (w *Writer) Texts(list []string) {
	w.out = binary.AppendUvarint(w.out, uint64(len(list)))
	for _, s := range list {
		w.Text(s)
	}
}

// Int writes a whole number.
func (w *Writer) Int(n int64) { w.out = binary.AppendVarint(w.out, n) }

// Time writes a moment to the nanosecond, without its place; the zero time stays
// one. It has to lie between the years 1678 and 2262.
func (w *Writer) Time(t time.Time) {
	if t.IsZero() {
		w.Int(0)
		return
	}
	w.Int(t.UnixNano())
}

// Bytes returns what was written.
func (w *Writer) Bytes() []byte { return w.out }

// A Reader reads in the same order.
type Reader struct {
	rest string
	bad  bool
}

// NewReader reads what a Writer wrote.
func NewReader(text []byte) *Reader { return &Reader{rest: string(text)} }

func (r *Reader) fail() {
	r.bad, r.rest = true, ""
}

func (r *Reader) length() int {
	n := uint64(0)
	for shift := 0; ; shift += 7 {
		if len(r.rest) == 0 || shift > 28 {
			r.fail()
			return 0
		}
		b := r.rest[0]
		r.rest = r.rest[1:]
		n |= uint64(b&0x7f) << shift
		if b < 0x80 {
			break
		}
	}
	if n > uint64(len(r.rest)) { // each item of a list takes a byte at least
		r.fail()
		return 0
	}
	return int(n)
}

// Text reads a text.
func (r *Reader) Text() string {
	n := r.length()
	s := r.rest[:n]
	r.rest = r.rest[n:]
	return s
}

// Texts reads a list of texts; nil when it is empty.
func (r *Reader) Texts() []string {
	n := r.length()
	if n == 0 {
		return nil
	}
	list := make([]string, n)
	for i := range list {
		list[i] = r.Text()
	}
	return list
}

// Int reads a whole number.
func (r *Reader) Int() int64 {
	n, size := binary.Varint([]byte(r.rest[:min(len(r.rest), binary.MaxVarintLen64)]))
	if size <= 0 {
		r.fail()
		return 0
	}
	r.rest = r.rest[size:]
	return n
}

// Time reads a moment, in UTC.
func (r *Reader) Time() time.Time {
	n := r.Int()
	if n == 0 {
		return time.Time{}
	}
	return time.Unix(0, n).UTC()
}

// Done reports whether all of it was read, and nothing else.
func (r *Reader) Done() bool { return !r.bad && r.rest == "" }
