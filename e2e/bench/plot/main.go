// Plot draws docs/benchmarks/changes.svg from results.json: for each number of
// Ingresses, how long it takes until a change is live. It is a module of its
// own so that the library that draws is none of the product's dependencies.
package main

import (
	"encoding/json"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	"github.com/go-analyze/charts"
)

// series is a part of what package bench writes.
type series struct {
	ID        string    `json:"id"`
	Ingresses int       `json:"ingresses"`
	Samples   []float64 `json:"samples"`
}

// bars are the figures that are drawn.
var bars = []struct {
	label, id string
	percent   float64
}{
	{"new Ingress served, p50", "apply", 50},
	{"of that, outside nginx's parses, p50", "apply-outside", 50},
	{"endpoint change live, p50", "endpoint", 50},
	{"endpoint change live, p99", "endpoint", 99},
	{"start, until every host is served, p50", "start", 50},
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: plot FOLDER-OF-RESULTS")
		os.Exit(2)
	}
	if err := draw(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "plot:", err)
		os.Exit(1)
	}
}

func draw(dir string) error {
	text, err := os.ReadFile(filepath.Join(dir, "results.json"))
	if err != nil {
		return err
	}
	var results struct {
		Series []series `json:"series"`
	}
	if err := json.Unmarshal(text, &results); err != nil {
		return fmt.Errorf("results.json: %w", err)
	}
	var sizes []int
	for _, s := range results.Series {
		if s.ID == bars[0].id && !slices.Contains(sizes, s.Ingresses) {
			sizes = append(sizes, s.Ingresses)
		}
	}
	if len(sizes) == 0 {
		return fmt.Errorf("results.json has no series %q: nothing to draw", bars[0].id)
	}
	slices.Sort(sizes)
	return render(filepath.Join(dir, "changes.svg"), sizes, results.Series)
}

func render(path string, sizes []int, all []series) error {
	data := make([][]float64, len(bars))
	var labels, ticks []string
	for i, bar := range bars {
		labels = append(labels, bar.label)
		for _, n := range sizes {
			data[i] = append(data[i], percentile(all, bar.id, n, bar.percent))
		}
	}
	for _, n := range sizes {
		ticks = append(ticks, strconv.Itoa(n)+" Ingresses")
	}
	o := charts.NewBarChartOptionWithData(data)
	o.Title.Text = "Seconds until a change is live"
	o.Legend.SeriesNames = labels
	o.Legend.Offset = charts.OffsetStr{Top: "30", Left: "20"}
	o.CategoryAxis.Labels = ticks
	o.ValueFormatter = func(v float64) string { return strconv.FormatFloat(v, 'g', 2, 64) }
	for i := range o.SeriesList {
		o.SeriesList[i].Label.Show = charts.Ptr(true)
	}
	p := charts.NewPainter(charts.PainterOptions{OutputFormat: charts.ChartOutputSVG, Width: 960, Height: 480})
	if err := p.BarChart(o); err != nil {
		return err
	}
	svg, err := p.Bytes()
	if err != nil {
		return err
	}
	return os.WriteFile(path, svg, 0o644)
}

// percentile is by the nearest rank, as in the table; nothing is drawn for a
// figure that was not measured.
func percentile(all []series, id string, ingresses int, percent float64) float64 {
	for _, s := range all {
		if s.ID == id && s.Ingresses == ingresses && len(s.Samples) > 0 {
			sorted := slices.Sorted(slices.Values(s.Samples))
			rank := int(math.Ceil(percent / 100 * float64(len(sorted))))
			return sorted[max(rank, 1)-1]
		}
	}
	return charts.GetNullValue()
}
