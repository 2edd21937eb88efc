package snapshot

import (
	networkingv1 "k8s.io/api/networking/v1"
)

// classAnnotation names the class as it was done before spec.ingressClassName.
const classAnnotation = "kubernetes.io/ingress.class"

// Classes decides which Ingresses are ours.
type Classes struct {
	// Controller is the controller that IngressClasses of ours name.
	Controller string
	// Class is the value of the annotation, and, with ByName, the name of an
	// IngressClass that is ours whatever controller it names.
	Class  string
	ByName bool
	// WithoutClass takes Ingresses that name no class.
	WithoutClass bool
	// Offline is for manifests without a cluster, and for a controller that may
	// not read IngressClasses: with no IngressClass of a name at all, Class is
	// ours by its name.
	Offline bool
}

// Ours tells whether the Ingress is ours. spec.ingressClassName wins over the
// annotation; with neither, the cluster's default class counts.
func (c Classes) Ours(ing *networkingv1.Ingress, classes map[string]*networkingv1.IngressClass) bool {
	if name := ing.Spec.IngressClassName; name != nil {
		class, ok := classes[*name]
		if !ok {
			return c.Offline && *name == c.Class
		}
		return c.OursByController(class)
	}
	if value, ok := ing.Annotations[classAnnotation]; ok && value != "" {
		return value == c.Class
	}
	if c.WithoutClass {
		return true
	}
	for _, class := range classes {
		if class.Annotations[networkingv1.AnnotationIsDefaultIngressClass] == "true" && c.OursByController(class) {
			return true
		}
	}
	return false
}

// OursByController tells whether Ingresses of the class are ours.
func (c Classes) OursByController(class *networkingv1.IngressClass) bool {
	return class.Spec.Controller == c.Controller || c.ByName && class.Name == c.Class
}
