package metrics

import (
	"github.com/prometheus/client_golang/prometheus"
	"github.com/sidegate/sidegate/pkg/model"
)

// certificates are the metrics of what is served by TLS. ingress-nginx had no
// other labels in common with its other metrics than these.
type certificates struct {
	class  string
	expire *prometheus.GaugeVec
	info   *prometheus.GaugeVec
}

func newCertificates(registry prometheus.Registerer, class string) certificates {
	labels := []string{"class", "namespace", "host", "secret_name", "identifier"}
	c := certificates{
		class: class,
		expire: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: ingressNginx + "ssl_expire_time_seconds", Help: "When the certificate of a host expires, in seconds since 1970.",
		}, labels),
		info: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: ingressNginx + "ssl_certificate_info", Help: "Who has issued the certificate of a host.",
		}, append(labels[:len(labels):len(labels)], "issuer_organization", "issuer_common_name", "serial_number", "public_key_algorithm")),
	}
	registry.MustRegister(c.expire, c.info)
	return c
}

// set tells of the certificates of the model, and of no others any more.
func (c certificates) set(m *model.Config) {
	c.expire.Reset()
	c.info.Reset()
	for _, cert := range m.Certificates {
		c.add(cert.Host, cert.Leaf)
	}
	c.add(model.CatchAll, m.HTTP.TLS.DefaultLeaf)
}

func (c certificates) add(host string, leaf *model.Leaf) {
	if leaf == nil {
		return
	}
	labels := []string{c.class, leaf.Namespace, host, leaf.Secret, leaf.SerialNumber}
	c.expire.WithLabelValues(labels...).Set(float64(leaf.NotAfter.Unix()))
	c.info.WithLabelValues(append(labels, leaf.IssuerOrganization, leaf.IssuerCommonName, leaf.SerialNumber, leaf.PublicKeyAlgorithm)...).Set(1)
}
