package annotations

import networkingv1 "k8s.io/api/networking/v1"

// Guards are the annotations of the Ingress that keep requests out, by the
// names of their rows.
func Guards(prefixes []string, ing *networkingv1.Ingress) map[string]string {
	out := map[string]string{}
	for _, prefix := range prefixes {
		for key, value := range ing.Annotations {
			if len(key) > len(prefix)+1 && key[:len(prefix)+1] == prefix+"/" {
				if row, ok := table[key[len(prefix)+1:]]; ok && row.guards {
					if _, known := out[row.Name]; !known {
						out[row.Name] = value
					}
				}
			}
		}
	}
	return out
}
