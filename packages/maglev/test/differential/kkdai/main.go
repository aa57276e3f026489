// Peers of the differential run that are small to build: kkdai/maglev and
// three hash functions. One JSON request a line on standard input, one JSON
// answer a line on standard output.
package main

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"strconv"

	"github.com/cespare/xxhash/v2"
	"github.com/dchest/siphash"
	"github.com/kkdai/maglev"
	"github.com/spaolacci/murmur3"
)

type request struct {
	Op    string   `json:"op"`
	Size  uint64   `json:"size"`
	Ids   []string `json:"ids"`
	Keys  []string `json:"keys"`
	Bytes string   `json:"bytes"`
	K0    string   `json:"k0"`
	K1    string   `json:"k1"`
}

func lookup(r request) ([]string, error) {
	table, err := maglev.NewMaglev(r.Ids, r.Size)
	if err != nil {
		return nil, err
	}
	owners := make([]string, len(r.Keys))
	for i, key := range r.Keys {
		if owners[i], err = table.Get(key); err != nil {
			return nil, err
		}
	}
	return owners, nil
}

func hashes(r request) (map[string]string, error) {
	bytes, err := hex.DecodeString(r.Bytes)
	if err != nil {
		return nil, err
	}
	k0, err := strconv.ParseUint(r.K0, 10, 64)
	if err != nil {
		return nil, err
	}
	k1, err := strconv.ParseUint(r.K1, 10, 64)
	if err != nil {
		return nil, err
	}
	seeded := xxhash.NewWithSeed(k0)
	if _, err := seeded.Write(bytes); err != nil {
		return nil, err
	}
	h1, h2 := murmur3.Sum128WithSeed(bytes, uint32(k0))
	return map[string]string{
		"xxh64":    strconv.FormatUint(seeded.Sum64(), 10),
		"murmurH1": strconv.FormatUint(h1, 10),
		"murmurH2": strconv.FormatUint(h2, 10),
		"siphash":  strconv.FormatUint(siphash.Hash(k0, k1, bytes), 10),
	}, nil
}

func answer(r request) (any, error) {
	switch r.Op {
	case "lookup":
		return lookup(r)
	case "hashes":
		return hashes(r)
	}
	return nil, fmt.Errorf("unknown op %q", r.Op)
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			out.Encode(map[string]string{"error": err.Error()})
		} else if ok, err := answer(r); err != nil {
			out.Encode(map[string]string{"error": err.Error()})
		} else {
			out.Encode(map[string]any{"ok": ok})
		}
	}
}
