package main

import (
	"bytes"
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rely-go/rely/internal/bench"
)

const maxForged = float64(time.Millisecond)

// forged prints what refusing one token costs.
func forged(out *bytes.Buffer, rounds int) (broken []string, err error) {
	all, err := bench.ForgedTokens()
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "## One forged token\n\nMicroseconds to refuse it; rely: at most 1000.\n\n")
	for i, f := range all {
		measured, err := measure(f.Columns, max(rounds/4, 5))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.Name, err)
		}
		if i == 0 || len(f.Columns) != len(all[i-1].Columns) {
			head := "\n| |"
			for _, column := range f.Columns {
				head += " " + column.Name + " |"
			}
			fmt.Fprintf(out, "%s holds |\n%s|\n", head, strings.Repeat("|---", len(f.Columns)+2))
		}
		row := "| " + f.Name + " |"
		for _, m := range measured {
			row += fmt.Sprintf(" %.1f |", median(m)/1000)
		}
		mark, wrong := held(median(measured[0]) <= maxForged, f.Name+": more than a millisecond")
		broken = append(broken, wrong...)
		fmt.Fprintf(out, "%s %s |\n", row, mark)
	}
	fmt.Fprintln(out)
	return broken, nil
}

// networked are the libraries that fetch keys.
func networked() (peers []bench.Peer) {
	for _, p := range bench.Peers() {
		if p.Over != nil {
			peers = append(peers, p)
		}
	}
	return peers
}

// attack prints what floods and changes of keys do.
func attack(out *bytes.Buffer, _ int) (broken []string, err error) {
	peers := networked()
	names := ""
	for _, p := range peers {
		names += " " + p.Name + " |"
	}
	fmt.Fprintf(out, "## Under attack and under change\n\nCounts. Floods are of 5,000 at once, and rely has its usual cool-down of 3 seconds; in the rotations it has %s.\n\n| |%s\n%s|\n", bench.Cooldown, names, strings.Repeat("|---", len(peers)+1))
	f := bench.NewForger()
	kinds := f.Kinds()
	for _, kind := range slices.Sorted(maps.Keys(kinds)) {
		row := "| key-set fetches for 10,000 tokens, " + kind + " |"
		for _, p := range peers {
			network := bench.NewIssuer(f.JWKS())
			verify, err := p.Over("ES256", network)
			if err != nil {
				return nil, err
			}
			if err := verify(context.Background(), f.Good()); err != nil {
				return nil, fmt.Errorf("%s: %w", p.Name, err)
			}
			began := time.Now()
			believed := bench.Flood(verify, kinds[kind], 10_000, 5_000)
			fetches := network.Fetches.Load()
			row += fmt.Sprintf(" %d |", fetches)
			if p.Name == "rely" && (believed > 0 || fetches > int64(time.Since(began)/(3*time.Second))+2) {
				broken = append(broken, kind+": more fetches than cool-downs")
			}
		}
		fmt.Fprintln(out, row)
	}
	rotation, wrong, err := rotations(peers)
	if err != nil {
		return nil, err
	}
	cancelled, more, err := cancellations(peers)
	if err != nil {
		return nil, err
	}
	beside, err := besides(peers)
	if err != nil {
		return nil, err
	}
	many, err := manyKeys(peers)
	fmt.Fprintf(out, "%s\n%s\n%s\n%s\n\n", rotation, cancelled, beside, many)
	return append(append(broken, wrong...), more...), err
}

func rotations(peers []bench.Peer) (row string, broken []string, err error) {
	row = "| 20 rotations with an attacker: fetches, good tokens refused |"
	for _, p := range peers {
		over := p.Over
		if p.Name == "rely" {
			over = bench.Quick
		}
		got, err := bench.Rotate(over, 20, 5*bench.Cooldown)
		if err != nil {
			return "", nil, err
		}
		row += fmt.Sprintf(" %d, %.1f %% |", got.Fetches, 100*float64(got.Refused)/float64(got.Good))
		if p.Name == "rely" && got.Refused > 0 {
			broken = append(broken, "rotations: good tokens were refused")
		}
	}
	return row, broken, nil
}

func cancellations(peers []bench.Peer) (row string, broken []string, err error) {
	row = "| first caller of a shared fetch gives up: others that fail, of 63 |"
	for _, p := range peers {
		failed, err := bench.CancelledFirst(p.Over)
		if err != nil {
			return "", nil, err
		}
		row += fmt.Sprintf(" %d |", failed)
		if p.Name == "rely" && failed > 0 {
			broken = append(broken, "a caller that gave up made others fail")
		}
	}
	return row, broken, nil
}

// besides measures a good token while forged ones are being refused.
func besides(peers []bench.Peer) (row string, err error) {
	row = "| a good token while 1,000 with random kid are being refused, over alone |"
	f := bench.NewForger()
	for _, p := range peers {
		network := bench.NewIssuer(f.JWKS())
		network.Delay = time.Millisecond
		verify, err := p.Over("ES256", network)
		if err != nil {
			return "", err
		}
		good := f.Good()
		each := func(n int) float64 {
			var all []float64
			for range n {
				began := time.Now()
				if verify(context.Background(), good) != nil {
					return -1
				}
				all = append(all, float64(time.Since(began)))
			}
			return median(all)
		}
		alone := each(300)
		ctx, cancel := context.WithCancel(context.Background())
		var group sync.WaitGroup
		forge := f.Kinds()["random kid"]
		for range 1000 {
			forged := forge()
			group.Go(func() { _ = verify(ctx, forged) })
		}
		time.Sleep(50 * time.Millisecond) // they are all on their way
		beside := each(300)
		cancel()
		group.Wait()
		row += fmt.Sprintf(" %.2f |", beside/alone)
	}
	return row, nil
}

// manyKeys measures one token without kid against a thousand keys.
func manyKeys(peers []bench.Peer) (row string, err error) {
	row = "| 1000 keys and no kid: milliseconds, and the verdict |"
	jwks, raw := bench.ManyKeys()
	for _, p := range peers {
		verify, err := p.Over("RS256", bench.NewIssuer(jwks))
		if err != nil {
			return "", err
		}
		verdict := "believed"
		if verify(context.Background(), raw) != nil {
			verdict = "refused"
		}
		measured, err := measure([]bench.Column{{Name: p.Name, Run: func() error { _ = verify(context.Background(), raw); return nil }}}, 10)
		if err != nil {
			return "", err
		}
		row += fmt.Sprintf(" %.3f, %s |", median(measured[0])/1e6, verdict)
	}
	return row, nil
}

const maxHeap = 4 << 10

// instances prints what 10,000 issuers in one process keep.
func instances(out *bytes.Buffer, _ int) (broken []string, err error) {
	fmt.Fprintf(out, "## 10,000 issuers in one process\n\n| | bytes each | goroutines | holds |\n|---|---|---|---|\n")
	f := bench.NewForger()
	row := func(name string, own bool, make func() (bench.Verify, error)) error {
		bytes, goroutines, err := bench.HeapPerInstance(10_000, make, f.Good())
		mark := ""
		if own {
			var wrong []string
			mark, wrong = held(bytes <= maxHeap && goroutines <= 0, name+": more than 4 kB or a goroutine for each issuer")
			broken = append(broken, wrong...)
		}
		fmt.Fprintf(out, "| %s | %d | %d | %s |\n", name, bytes, goroutines, mark)
		return err
	}
	if err := row("rely, oidcclient.Client", true, bench.Client); err != nil {
		return nil, err
	}
	for _, p := range networked() {
		network := bench.NewIssuer(f.JWKS())
		if err := row(p.Name+", verifier", p.Name == "rely", func() (bench.Verify, error) { return p.Over("ES256", network) }); err != nil {
			return nil, err
		}
	}
	fmt.Fprintln(out)
	return broken, nil
}

const maxLinked = 1.8e6

// sizes prints what a program grows by.
func sizes(out *bytes.Buffer, _ int) (broken []string, err error) {
	scratch, err := os.MkdirTemp("", "size")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(scratch)
	least, err := build("./size/stdlib", filepath.Join(scratch, "stdlib"))
	if err != nil {
		return nil, err
	}
	fmt.Fprintf(out, "## Linked size\n\nStripped, over a relying party of the standard library alone (%.1f MB).\n\n| | MB more | holds |\n|---|---|---|\n", float64(least)/1e6)
	for _, name := range []string{"rely", "goidc", "goidcjwx"} {
		size, err := build("./size/"+name, filepath.Join(scratch, name))
		if err != nil {
			return nil, err
		}
		mark := ""
		if name == "rely" {
			var wrong []string
			mark, wrong = held(float64(size-least) <= maxLinked, "linked size is more than 1.8 MB over the standard library's")
			broken = append(broken, wrong...)
		}
		fmt.Fprintf(out, "| %s | %.2f | %s |\n", name, float64(size-least)/1e6, mark)
	}
	fmt.Fprintln(out)
	return broken, nil
}
