package events

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"
	"time"

	"github.com/sidegate/sidegate/pkg/model"
	corev1 "k8s.io/api/core/v1"
	eventsv1 "k8s.io/api/events/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Controller is what our Events name as the one that reports.
const Controller = "sidegate"

const (
	// maxEach is how many Events there are of one object and one reason; what
	// is beyond is one Event more.
	maxEach = 3
	// maxAll bounds all Events. Findings of the lowest severity go first.
	maxAll = 5000
	// maxNote is what the API takes of a note, in bytes; 1 kB is its limit.
	maxNote = 1000
)

// desired are the Events of findings by their names, and how many findings
// found no place.
func desired(findings []model.Finding) (out map[string]*eventsv1.Event, left int) {
	type group struct {
		object model.Object
		reason string
	}
	list := slices.Clone(findings)
	slices.SortStableFunc(list, func(a, b model.Finding) int { return cmp.Compare(rank(b.Severity), rank(a.Severity)) })
	out = map[string]*eventsv1.Event{}
	count := map[group]int{}
	for _, f := range list {
		if f.Object.Name == "" {
			continue
		}
		g := group{f.Object, f.Reason}
		note := note(f)
		switch count[g]++; {
		case count[g] > maxEach+1:
			continue
		case count[g] == maxEach+1:
			// Without their number, which would make another Event of each change.
			note = `There is more of this kind. "sidegate dump findings" in the controller's pod lists all of it.`
		}
		e := event(f, note)
		if out[e.Name] == nil && len(out) >= maxAll {
			left++
			continue
		}
		out[e.Name] = e
	}
	return out, left
}

func rank(s model.Severity) int {
	return slices.Index([]model.Severity{model.Info, model.Warning, model.Error}, s)
}

// note is a finding without its object, which the Event names anyway.
func note(f model.Finding) string {
	text := strings.TrimPrefix(f.String(), f.Object.String()+": "+f.Reason+": ")
	if len(text) > maxNote {
		text = text[:maxNote]
	}
	return strings.ToValidUTF8(text, "")
}

// event is an Event without times.
func event(f model.Finding, note string) *eventsv1.Event {
	kind, version := corev1.EventTypeWarning, "v1"
	if f.Severity == model.Info {
		kind = corev1.EventTypeNormal
	}
	if f.Object.Kind == "Ingress" || f.Object.Kind == "IngressClass" {
		version = "networking.k8s.io/v1"
	}
	namespace := cmp.Or(f.Object.Namespace, metav1.NamespaceDefault)
	sum := sha256.Sum256([]byte(strings.Join([]string{f.Object.String(), f.Reason, kind, note}, "\x00")))
	return &eventsv1.Event{
		ObjectMeta:          metav1.ObjectMeta{Namespace: namespace, Name: name(f.Object.Name, hex.EncodeToString(sum[:10]))},
		ReportingController: Controller,
		Action:              "Translate",
		Type:                kind,
		Reason:              f.Reason,
		Note:                note,
		Regarding:           corev1.ObjectReference{APIVersion: version, Kind: f.Object.Kind, Namespace: f.Object.Namespace, Name: f.Object.Name},
	}
}

// name is that of an Event; no name is longer than 253 characters.
func name(object, sum string) string {
	const prefix = 200
	return strings.TrimRight(object[:min(len(object), prefix)], ".-") + "." + sum
}

// stamp sets the time of an Event that is written for the first time.
func stamp(e *eventsv1.Event, now time.Time, instance string) {
	e.EventTime = metav1.NewMicroTime(now)
	e.ReportingInstance = instance
}
