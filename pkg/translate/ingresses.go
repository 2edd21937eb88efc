package translate

import (
	"github.com/sidegate/sidegate/pkg/annotations"
	"github.com/sidegate/sidegate/pkg/model"
)

// readAnnotations reads the annotations of every Ingress.
func readAnnotations(b *build) {
	for _, ing := range b.Snapshot.Ingresses {
		object := model.IngressObject(ing.Namespace, ing.Name)
		parsed := recall(b.memo.annotations, b.memo.oldAnnotations, ing, func() parsedAnnotations {
			set, findings := annotations.Parse(b.options.AnnotationPrefixes, object, ing.Annotations)
			return parsedAnnotations{set, findings}
		})
		b.findings = append(b.findings, parsed.findings...)
		b.ingresses = append(b.ingresses, &ingress{Ingress: ing, object: object, set: parsed.set})
	}
}
