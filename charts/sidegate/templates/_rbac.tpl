{{/* What the controller reads and writes, and nothing else. */}}

{{/* Backends: in the namespaces that it serves, and in those of the Services that
     flags name. */}}
{{- define "sidegate.rules.services" -}}
- apiGroups: [""]
  resources: [services]
  verbs: [get, list, watch]
- apiGroups: [discovery.k8s.io]
  resources: [endpointslices]
  verbs: [get, list, watch]
{{- end -}}

{{/* Certificates and users: in the namespaces that it serves, and in that of the
     certificate for hosts without one. */}}
{{- define "sidegate.rules.secrets" -}}
- apiGroups: [""]
  resources: [secrets]
  verbs: [get, list, watch]
{{- end -}}

{{/* In the namespaces that it serves only. */}}
{{- define "sidegate.rules.ingresses" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingresses]
  verbs: [get, list, watch]
- apiGroups: [networking.k8s.io]
  resources: [ingresses/status]
  verbs: [update, patch]
{{- end -}}

{{/* Of whatever a finding is about. */}}
{{- define "sidegate.rules.events" -}}
- apiGroups: ["", events.k8s.io]
  resources: [events]
  verbs: [create, get, update, patch]
{{- end -}}

{{- define "sidegate.rules.classes" -}}
- apiGroups: [networking.k8s.io]
  resources: [ingressclasses]
  verbs: [get, list, watch]
{{- end -}}

{{/* In the namespace of the pod: the election; the pods beside it, which decide
     whether the last one ends; and the ConfigMap with the last good versions of what
     is held. What is made has no name yet, so that "create" cannot name it. */}}
{{- define "sidegate.rules.own" -}}
{{- $election := get .Values.controller.extraArgs "election-id" | default (.Values.controller.electionID | default (printf "%s-leader" (include "sidegate.fullname" .))) -}}
- apiGroups: [""]
  resources: [pods]
  verbs: [get, list]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  verbs: [create]
- apiGroups: [coordination.k8s.io]
  resources: [leases]
  resourceNames: [{{ $election }}]
  verbs: [get, update, patch, delete]
- apiGroups: [""]
  resources: [configmaps]
  verbs: [create]
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ $election }}-held]
  verbs: [get, update]
{{- end -}}

{{/* The one ConfigMap with the settings. Its name is part of the request, so that
     the permission can name it. */}}
{{- define "sidegate.rules.configMap" -}}
- apiGroups: [""]
  resources: [configmaps]
  resourceNames: [{{ .name }}]
  verbs: [get, list, watch]
{{- end -}}

{{/* Called with (dict "context" $ "kind" … "name" … "namespace" … "rules" (list …)): a
     role and its binding. */}}
{{- define "sidegate.role" -}}
{{- $ := .context -}}
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "sidegate.controller.labels" $ | nindent 4 }}
rules:
  {{- range .rules }}
  {{- . | nindent 2 }}
  {{- end }}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: {{ .kind }}Binding
metadata:
  name: {{ .name }}
  {{- with .namespace }}
  namespace: {{ . }}
  {{- end }}
  labels:
    {{- include "sidegate.controller.labels" $ | nindent 4 }}
roleRef:
  apiGroup: rbac.authorization.k8s.io
  kind: {{ .kind }}
  name: {{ .name }}
subjects:
  - kind: ServiceAccount
    name: {{ include "sidegate.serviceAccountName" $ }}
    namespace: {{ include "sidegate.namespace" $ }}
{{- end -}}
