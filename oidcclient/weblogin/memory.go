package weblogin

import (
	"container/heap"
	"context"
	"slices"
	"sync"
	"time"
)

// Bounds of a [Memory]: at some KiB a session, hundreds of megabytes at the very
// most.
const (
	maxSessions = 100_000
	maxMarks    = 200_000
)

// A Memory keeps sessions and used logins in this process. It is both a
// [SessionStore] and a [ReplayStore], safe for concurrent use, and bounded: when
// 100,000 sessions or 200,000 marks are alive it takes no more (ErrFull), so that
// nobody can push out another person's session, or a mark, by making many.
// Whatever has expired goes with the next calls; there is no goroutine.
type Memory struct {
	now func() time.Time

	mu       sync.Mutex // guards what follows
	sessions table
	marks    table
	named    map[string]map[string]struct{} // keys of sessions by name
}

// NewMemory returns an empty store. now tells the time; nil means time.Now.
func NewMemory(now func() time.Time) *Memory {
	if now == nil {
		now = time.Now
	}
	m := &Memory{now: now, named: map[string]map[string]struct{}{}}
	m.sessions = table{limit: maxSessions, items: map[string]*item{}}
	m.marks = table{limit: maxMarks, items: map[string]*item{}}
	return m
}

// Put implements [SessionStore].
func (m *Memory) Put(_ context.Context, r Record) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	old, found := m.sessions.items[r.Key]
	switch {
	case !found && r.Version != 0:
		return ErrNotFound
	case found && old.record.Version != r.Version:
		return ErrConflict
	case !found && m.sessions.full():
		return ErrFull
	}
	if found {
		m.remove(old)
	}
	r.Version++
	r.Names = slices.Clone(r.Names)
	m.sessions.add(&item{record: r}) // without a lease
	for _, name := range r.Names {
		if m.named[name] == nil {
			m.named[name] = map[string]struct{}{}
		}
		m.named[name][r.Key] = struct{}{}
	}
	return nil
}

// Load implements [SessionStore].
func (m *Memory) Load(_ context.Context, keys ...string) ([]Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	var records []Record
	for _, key := range keys {
		if found, ok := m.sessions.items[key]; ok {
			records = append(records, found.copy())
		}
	}
	return records, nil
}

// Extend implements [SessionStore].
func (m *Memory) Extend(_ context.Context, key string, expiresAt time.Time) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	found, ok := m.sessions.items[key]
	if !ok {
		return ErrNotFound
	}
	found.record.ExpiresAt = expiresAt
	heap.Fix(&m.sessions, found.index)
	return nil
}

// Lease implements [SessionStore].
func (m *Memory) Lease(_ context.Context, key, holder string, lasts time.Duration) (Record, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	found, ok := m.sessions.items[key]
	switch now := m.now(); {
	case !ok:
		return Record{}, ErrNotFound
	case found.holder == holder && now.Before(found.leaseEnds):
	case now.Before(found.leaseEnds):
		return Record{}, ErrLeased
	default:
		found.record.Version++
	}
	found.holder, found.leaseEnds = holder, m.now().Add(lasts)
	return found.copy(), nil
}

// Release implements [SessionStore].
func (m *Memory) Release(_ context.Context, key, holder string) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if found, ok := m.sessions.items[key]; ok && found.holder == holder {
		found.holder, found.leaseEnds = "", time.Time{}
	}
	return nil
}

// Delete implements [SessionStore].
func (m *Memory) Delete(_ context.Context, key string, version int64) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	found, ok := m.sessions.items[key]
	switch {
	case !ok:
		return ErrNotFound
	case version != 0 && version != found.record.Version:
		return ErrConflict
	}
	m.remove(found)
	return nil
}

// DeleteNamed implements [SessionStore].
func (m *Memory) DeleteNamed(_ context.Context, names ...string) (int, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if len(names) == 0 {
		return 0, nil
	}
	var gone []*item
	for key := range m.named[names[0]] {
		found := m.sessions.items[key]
		if !slices.ContainsFunc(names, func(n string) bool { return !slices.Contains(found.record.Names, n) }) {
			gone = append(gone, found)
		}
	}
	for _, found := range gone {
		m.remove(found)
	}
	return len(gone), nil
}

// Once implements [ReplayStore].
func (m *Memory) Once(_ context.Context, key string, until time.Time) (bool, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.expire()
	if _, seen := m.marks.items[key]; seen {
		return false, nil
	}
	if m.marks.full() {
		return false, ErrFull
	}
	m.marks.add(&item{record: Record{Key: key, ExpiresAt: until}})
	return true, nil
}

// expire drops what has expired.
func (m *Memory) expire() {
	now := m.now()
	for m.sessions.due(now) {
		m.remove(m.sessions.heap[0])
	}
	for m.marks.due(now) {
		m.marks.remove(m.marks.heap[0])
	}
}

func (m *Memory) remove(found *item) {
	m.sessions.remove(found)
	for _, name := range found.record.Names {
		delete(m.named[name], found.record.Key)
		if len(m.named[name]) == 0 {
			delete(m.named, name)
		}
	}
}

// table holds records by key, and in a heap by when they expire.
type table struct {
	limit int
	items map[string]*item
	heap  []*item
}

type item struct {
	record    Record
	holder    string // of the lease
	leaseEnds time.Time
	index     int // in the heap
}

func (i *item) copy() Record {
	r := i.record
	r.Names = slices.Clone(r.Names)
	return r
}

func (t *table) full() bool { return len(t.items) >= t.limit }

func (t *table) due(now time.Time) bool {
	return len(t.heap) > 0 && !now.Before(t.heap[0].record.ExpiresAt)
}

func (t *table) add(i *item) {
	t.items[i.record.Key] = i
	heap.Push(t, i)
}

func (t *table) remove(i *item) {
	delete(t.items, i.record.Key)
	heap.Remove(t, i.index)
}

// Len, Less, Swap, Push and Pop implement heap.Interface.

func (t *table) Len() int { return len(t.heap) }

func (t *table) Less(i, j int) bool {
	return t.heap[i].record.ExpiresAt.Before(t.heap[j].record.ExpiresAt)
}

func (t *table) Swap(i, j int) {
	t.heap[i], t.heap[j] = t.heap[j], t.heap[i]
	t.heap[i].index, t.heap[j].index = i, j
}

func (t *table) Push(x any) {
	i := x.(*item)
	i.index = len(t.heap)
	t.heap = append(t.heap, i)
}

func (t *table) Pop() any {
	last := len(t.heap) - 1
	i := t.heap[last]
	t.heap[last] = nil
	t.heap = t.heap[:last]
	return i
}
