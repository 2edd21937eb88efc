package model

import (
	"cmp"
	"fmt"
	"strings"
	"unicode/utf8"
)

// Severity of a finding, from the lowest.
type Severity string

// The severities. An error means that something the user asked for is not
// served; a warning, that it is served differently; info, that it is good to
// know.
const (
	Info    Severity = "info"
	Warning Severity = "warning"
	Error   Severity = "error"
)

// Object names a Kubernetes object.
type Object struct {
	Kind      string `json:"kind"`
	Namespace string `json:"namespace,omitempty"`
	Name      string `json:"name"`
}

func (o Object) String() string {
	if o.Namespace == "" {
		return o.Kind + " " + o.Name
	}
	return o.Kind + " " + o.Namespace + "/" + o.Name
}

// IngressObject names an Ingress.
func IngressObject(namespace, name string) Object {
	return Object{Kind: "Ingress", Namespace: namespace, Name: name}
}

// Finding is something the owner of an object should know: what is wrong,
// where, what was expected, and what happens now. Findings never hold
// contents of a Secret.
type Finding struct {
	Object   Object   `json:"object"`
	Severity Severity `json:"severity"`
	// Reason is a CamelCase word, as events of Kubernetes have it.
	Reason string `json:"reason"`
	// Field is the path of the field in the object: spec.rules[0].host.
	Field string `json:"field,omitempty"`
	// Value is the offending value, clipped.
	Value   string `json:"value,omitempty"`
	Message string `json:"message"`
}

// The reasons of findings. They are part of the interface: alerts match them.
const (
	ReasonInvalidValue       = "InvalidValue"
	ReasonUnknownAnnotation  = "UnknownAnnotation"
	ReasonNotImplemented     = "NotImplemented"
	ReasonNotSupported       = "NotSupported"
	ReasonApproximated       = "Approximated"
	ReasonUnknownKey         = "UnknownKey"
	ReasonHostPathTaken      = "HostPathTaken"
	ReasonDuplicatePath      = "DuplicatePath"
	ReasonRegexOnHost        = "RegexOnHost"
	ReasonServiceNotFound    = "ServiceNotFound"
	ReasonPortNotFound       = "PortNotFound"
	ReasonBackendUnsupported = "BackendUnsupported"
	ReasonCertificateMissing = "CertificateMissing"
	ReasonCertificateInvalid = "CertificateInvalid"
	ReasonCertificateExpired = "CertificateExpired"
	ReasonCertificateHost    = "CertificateHostMismatch"
	ReasonLocationClosed     = "LocationClosed"
	ReasonCatchAllDisabled   = "CatchAllDisabled"
	ReasonForbiddenTarget    = "ForbiddenTarget"
	ReasonQuarantined        = "Quarantined"
	ReasonNoSnapshot         = "ClusterUnreadable"
	ReasonMachine            = "NothingCanBeTested"
	ReasonUnconfirmed        = "NotConfirmed"
	ReasonHostShared         = "HostShared"
	ReasonHostOwned          = "HostOwned"
	ReasonReservedPath       = "ReservedPath"
	ReasonInvalidName        = "InvalidName"
	ReasonUserLeftOut        = "UserLeftOut"
	ReasonCostlyExpression   = "CostlyExpression"
)

// Compare orders findings by object, field, reason and message.
func (f Finding) Compare(o Finding) int {
	return cmp.Or(
		cmp.Compare(f.Object.Kind, o.Object.Kind),
		cmp.Compare(f.Object.Namespace, o.Object.Namespace),
		cmp.Compare(f.Object.Name, o.Object.Name),
		cmp.Compare(f.Field, o.Field),
		cmp.Compare(f.Reason, o.Reason),
		cmp.Compare(f.Message, o.Message),
		cmp.Compare(f.Value, o.Value),
	)
}

// String is the finding as one line.
func (f Finding) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s", f.Object, f.Reason)
	if f.Field != "" {
		fmt.Fprintf(&b, ": %s", f.Field)
	}
	if f.Value != "" {
		fmt.Fprintf(&b, " = %q", f.Value)
	}
	return b.String() + ": " + f.Message
}

const clipAt = 120

// Clip shortens a value for a message and makes it valid UTF-8.
func Clip(s string) string {
	if len(s) > clipAt {
		cut := clipAt
		for cut > 0 && !utf8.RuneStart(s[cut]) {
			cut--
		}
		s = s[:cut] + fmt.Sprintf("… (%d bytes)", len(s))
	}
	return strings.ToValidUTF8(s, "�")
}
