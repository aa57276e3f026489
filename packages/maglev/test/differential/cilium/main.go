// Cilium's own table code as a peer of the differential run. One JSON request
// a line on standard input, one JSON answer a line on standard output: the
// owner of each slot, as an index into the backends as listed.
package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"net/netip"
	"os"
	"slices"

	clustermesh "github.com/cilium/cilium/pkg/clustermesh/types"
	"github.com/cilium/cilium/pkg/loadbalancer"
	"github.com/cilium/cilium/pkg/maglev"
	"github.com/cilium/hive/cell"
)

type backend struct {
	IP       string `json:"ip"`
	Port     uint16 `json:"port"`
	Protocol string `json:"protocol"`
	Internal bool   `json:"internal"`
	Weight   uint16 `json:"weight"`
}

type request struct {
	Size     uint      `json:"size"`
	Seed     string    `json:"seed"`
	Backends []backend `json:"backends"`
}

func table(r request) (owners []loadbalancer.BackendID, err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	config, err := maglev.UserConfig{TableSize: r.Size, HashSeed: r.Seed}.ToConfig()
	if err != nil {
		return nil, err
	}
	builder := maglev.New(config, new(cell.DefaultLifecycle))
	if err := builder.Start(nil); err != nil {
		return nil, err
	}
	defer builder.Stop(nil)
	infos := make([]maglev.BackendInfo, len(r.Backends))
	for i, b := range r.Backends {
		ip, err := netip.ParseAddr(b.IP)
		if err != nil {
			return nil, err
		}
		protocol, err := loadbalancer.NewL4Type(b.Protocol)
		if err != nil {
			return nil, err
		}
		scope := uint8(loadbalancer.ScopeExternal)
		if b.Internal {
			scope = loadbalancer.ScopeInternal
		}
		infos[i] = maglev.BackendInfo{
			ID:     loadbalancer.BackendID(i),
			Addr:   loadbalancer.NewL3n4Addr(protocol, clustermesh.AddrClusterFrom(ip, 0), b.Port, scope),
			Weight: b.Weight,
		}
	}
	return builder.GetLookupTable(slices.Values(infos)), nil
}

func main() {
	in := bufio.NewScanner(os.Stdin)
	in.Buffer(nil, 64<<20)
	out := json.NewEncoder(os.Stdout)
	for in.Scan() {
		var r request
		if err := json.Unmarshal(in.Bytes(), &r); err != nil {
			out.Encode(map[string]string{"error": err.Error()})
		} else if owners, err := table(r); err != nil {
			out.Encode(map[string]string{"error": err.Error()})
		} else {
			out.Encode(map[string]any{"ok": owners})
		}
	}
}
