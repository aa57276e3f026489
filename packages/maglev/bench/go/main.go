// kkdai/maglev as a subject of the benchmark: the commands of the harness's
// serveSubject as JSON lines.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"time"

	"github.com/kkdai/maglev"
)

type command struct {
	ID    string `json:"id"`
	Op    string `json:"op"`
	Input struct {
		Work  string   `json:"work"`
		Ids   []string `json:"ids"`
		Size  uint64   `json:"size"`
		Fails string   `json:"fails"`
	} `json:"input"`
	Cases []any   `json:"cases"`
	Ms    float64 `json:"ms"`
	Calls int     `json:"calls"`
}

var (
	call func(key string) (string, error)
	keys []string
	at   int
)

func heap() float64 {
	runtime.GC()
	var stats runtime.MemStats
	runtime.ReadMemStats(&stats)
	return float64(stats.HeapAlloc)
}

func timed(calls int) (int64, error) {
	started := time.Now()
	for n := 0; n < calls; n++ {
		if _, err := call(keys[at]); err != nil {
			return 0, err
		}
		if at++; at == len(keys) {
			at = 0
		}
	}
	return time.Since(started).Nanoseconds(), nil
}

func prepare(c command) (any, error) {
	keys = make([]string, len(c.Cases))
	for i, key := range c.Cases {
		if number, ok := key.(float64); ok {
			keys[i] = fmt.Sprintf("%.0f", number)
		} else {
			keys[i] = fmt.Sprint(key)
		}
	}
	before := heap()
	table, err := maglev.NewMaglev(c.Input.Ids, c.Input.Size)
	if err != nil {
		return nil, err
	}
	switch c.Input.Work {
	case "build":
		call = func(string) (string, error) {
			table, err := maglev.NewMaglev(c.Input.Ids, c.Input.Size)
			if err != nil {
				return "", err
			}
			return table.Get("key")
		}
	case "failed":
		if err := table.Remove(c.Input.Fails); err != nil {
			return nil, err
		}
		call = table.Get
	default:
		call = table.Get
	}
	return map[string]float64{"heapBytes": heap() - before}, nil
}

func answer(c command) (any, error) {
	switch c.Op {
	case "prepare":
		return prepare(c)
	case "answers":
		answers := make([]string, len(keys))
		for i, key := range keys {
			owner, err := call(key)
			if err != nil {
				return nil, err
			}
			answers[i] = owner
		}
		return map[string]any{"answers": answers}, nil
	case "warm-up":
		spent, calls, best := int64(0), 1, 0.0
		for float64(spent) <= c.Ms*1e6 {
			ns, err := timed(calls)
			if err != nil {
				return nil, err
			}
			if each := float64(ns) / float64(calls); best == 0 || each < best {
				best = each
			}
			spent += ns
			calls *= 2
		}
		return map[string]float64{"nsPerCall": best}, nil
	case "round":
		ns, err := timed(c.Calls)
		return map[string]int64{"ns": ns}, err
	case "allocation":
		return map[string]any{}, nil
	}
	return nil, fmt.Errorf("unknown op %q", c.Op)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var c command
		if err := json.Unmarshal(in.Bytes(), &c); err != nil {
			out.Encode(map[string]any{"id": nil, "error": map[string]string{"code": "BAD_COMMAND", "message": err.Error()}})
		} else if ok, err := answer(c); err != nil {
			out.Encode(map[string]any{"id": c.ID, "error": map[string]string{"code": "FAILED", "message": err.Error()}})
		} else {
			out.Encode(map[string]any{"id": c.ID, "ok": ok})
		}
	}
}
