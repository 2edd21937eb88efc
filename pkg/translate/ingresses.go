package translate

import (
	"strconv"
	"strings"

	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
	networkingv1 "k8s.io/api/networking/v1"
	"k8s.io/apimachinery/pkg/util/validation"
)

// readAnnotations reads the annotations of every Ingress.
func readAnnotations(b *build) {
	for _, ing := range b.Snapshot.Ingresses {
		object := model.IngressObject(ing.Namespace, ing.Name)
		parsed := recall(b.memo.annotations, b.memo.oldAnnotations, ing, func() parsedAnnotations {
			if fault := nameFault(ing); fault != nil {
				return parsedAnnotations{nil, []model.Finding{*fault}}
			}
			set, findings := annotations.Parse(b.options.AnnotationPrefixes, object, ing.Annotations)
			return parsedAnnotations{set, findings}
		})
		b.findings = append(b.findings, parsed.findings...)
		if parsed.set == nil {
			continue
		}
		read := &ingress{Ingress: ing, object: object, set: parsed.set}
		if name := parsed.set.Unguarded; name != "" {
			read.closed = "the annotation " + name + " cannot be used"
		}
		if name := parsed.set.UnguardedHost; name != "" {
			read.closedHost = "the annotation " + name + " cannot be used"
		}
		b.guardHeld(read)
		b.ingresses = append(b.ingresses, read)
	}
}

// nameFault says what is wrong with a name that an API server would not have
// let in. Manifests of a directory have not passed one.
func nameFault(ing *networkingv1.Ingress) *model.Finding {
	field, value, rules := "metadata.name", ing.Name, validation.IsDNS1123Subdomain(ing.Name)
	if len(rules) == 0 {
		field, value, rules = "metadata.namespace", ing.Namespace, validation.IsDNS1123Label(ing.Namespace)
	}
	if len(rules) == 0 {
		return nil
	}
	return &model.Finding{
		Object:   model.IngressObject(shown(ing.Namespace), shown(ing.Name)),
		Severity: model.Error, Reason: model.ReasonInvalidName, Field: field, Value: model.Clip(value),
		Message: "is no name of an object of Kubernetes: " + rules[0] + "; the Ingress is ignored",
	}
}

// shown keeps a name that may hold anything to one line.
func shown(name string) string {
	return strings.Trim(strconv.Quote(model.Clip(name)), `"`)
}
