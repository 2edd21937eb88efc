package nginx

import (
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"
)

// servers makes server blocks as a cluster's configuration has them: a host
// with two locations and an upstream of four servers each.
func (r *rig) servers(count int) string {
	var b strings.Builder
	for i := range count {
		fmt.Fprintf(&b, `}
upstream u%[1]d { server 127.0.0.1:1; server 127.0.0.1:2; server 127.0.0.1:3; server 127.0.0.1:4; }
server {
	listen 127.0.0.1:%[2]d;
	server_name host%[1]d.example.com;
	location / { proxy_pass http://u%[1]d; }
	location /api/ { proxy_pass http://u%[1]d; }
`, i, r.port)
	}
	return b.String()
}

// BenchmarkApply has a metric for each step, in milliseconds.
func BenchmarkApply(b *testing.B) {
	for _, bench := range []struct{ servers, workers int }{{0, 2}, {0, 8}, {1000, 2}, {1000, 8}} {
		b.Run(fmt.Sprintf("servers=%d/workers=%d", bench.servers, bench.workers), func(b *testing.B) {
			r := newRig(b, Options{})
			r.workers = bench.workers
			more := r.servers(bench.servers)
			r.serve(r.generation("first", more))
			took := map[string]time.Duration{}
			for i := range b.N {
				for _, s := range r.apply(r.generation("g"+strconv.Itoa(i), more), Confirmed) {
					took[s.Name] += s.Duration
				}
			}
			for name, d := range took {
				b.ReportMetric(float64(d.Microseconds())/1000/float64(b.N), name+"-ms/op")
			}
		})
	}
}
