package packed_test

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"

	"github.com/rely-go/rely/internal/packed"
)

func TestRoundTrip(t *testing.T) {
	moment := time.Date(2026, 1, 2, 3, 4, 5, 678, time.UTC)
	long := strings.Repeat("x", 70_000)
	var w packed.Writer
	w.Text("")
	w.Text("é\x00~")
	w.Text(long)
	w.Texts(nil)
	w.Texts([]string{"a", "", "b"})
	w.Int(0)
	w.Int(math.MinInt64)
	w.Int(math.MaxInt64)
	w.Time(time.Time{})
	w.Time(moment.In(time.FixedZone("", 3600)))
	r := packed.NewReader(w.Bytes())
	assert.Equal(t, "", r.Text())
	assert.Equal(t, "é\x00~", r.Text())
	assert.Equal(t, long, r.Text())
	assert.Nil(t, r.Texts())
	assert.Equal(t, []string{"a", "", "b"}, r.Texts())
	assert.Equal(t, int64(0), r.Int())
	assert.Equal(t, int64(math.MinInt64), r.Int())
	assert.Equal(t, int64(math.MaxInt64), r.Int())
	assert.True(t, r.Time().IsZero())
	assert.False(t, r.Done(), "something is left")
	assert.Equal(t, moment, r.Time())
	assert.True(t, r.Done())
	assert.Zero(t, r.Int())
	assert.False(t, r.Done(), "more was read than is there")
}

func TestDamaged(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":                    "",
		"no text behind its length":  "\x02a",
		"a length that does not end": "\xff\xff",
		"a length of 2^35":           "\x80\x80\x80\x80\x80\x01",
		"a length that overflows":    "\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
	} {
		for kind, read := range map[string]func(*packed.Reader){
			"text":  func(r *packed.Reader) { r.Text() },
			"texts": func(r *packed.Reader) { r.Texts() },
		} {
			r := packed.NewReader([]byte(text))
			read(r)
			assert.False(t, r.Done(), "%s as %s", name, kind)
		}
	}
	r := packed.NewReader([]byte("\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"))
	r.Int()
	assert.False(t, r.Done(), "a number of more than 64 bits")
}

func FuzzReader(f *testing.F) {
	var w packed.Writer
	w.Text("a")
	w.Texts([]string{"b", "c"})
	w.Int(-1)
	w.Time(time.Unix(1, 2))
	f.Add(w.Bytes())
	f.Add([]byte("\xff\xff\xff\xff\x0f"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r := packed.NewReader(text)
		a, b, c, d := r.Text(), r.Texts(), r.Int(), r.Time()
		if !r.Done() {
			return
		}
		var w packed.Writer
		w.Text(a)
		w.Texts(b)
		w.Int(c)
		w.Time(d)
		again := packed.NewReader(w.Bytes())
		assert.Equal(t, a, again.Text())
		assert.Equal(t, b, again.Texts())
		assert.Equal(t, c, again.Int())
		assert.True(t, d.Equal(again.Time()))
	})
}
