package walkthrough

import "net/netip"

// visitor is the address of a client somewhere on the internet.
var visitor = netip.MustParseAddr("203.0.113.7")

func clientAddress(r *run) error {
	if err := r.apply("08-proxy-protocol.yaml"); err != nil {
		return err
	}
	r.expect(request{host: fooBar, path: "/backend", proxyFrom: visitor}, "200, the pod saw X-Real-IP and X-Forwarded-For: "+visitor.String(), func(a answer) bool {
		return isOK(a) && a.echo != nil && a.echo.Header("X-Real-IP") == visitor.String() && a.echo.Header("X-Forwarded-For") == visitor.String()
	})
	if err := r.apply("08-forwarded-headers.yaml"); err != nil {
		return err
	}
	balanced := map[string]string{"X-Forwarded-For": visitor.String(), "X-Forwarded-Proto": "https"}
	r.expect(request{host: fooBar, path: "/backend", headers: balanced}, "200, the pod saw X-Real-IP: "+visitor.String()+" and X-Forwarded-Proto: https", func(a answer) bool {
		return isOK(a) && a.echo != nil && a.echo.Header("X-Real-IP") == visitor.String() && a.echo.Header("X-Forwarded-Proto") == "https"
	})
	r.expect(request{host: forcedHost, path: "/app", headers: balanced}, "200: TLS ended at the load balancer, so force-ssl-redirect is content", isOK)
	if err := r.apply("08-neither.yaml"); err != nil {
		return err
	}
	r.expect(request{host: fooBar, path: "/backend", headers: balanced}, "200, the claim is not believed from anybody", func(a answer) bool {
		return isOK(a) && a.echo != nil && a.echo.Header("X-Real-IP") != visitor.String() && a.echo.Header("X-Forwarded-Proto") == "http"
	})
	return nil
}
