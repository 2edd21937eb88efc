{{/* Called with (dict "values" … "name" … "namespace" … "labels" … "selector" …). */}}
{{- define "sidegate.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- .labels | nindent 4 }}
spec:
  selector:
    matchLabels:
      {{- .selector | nindent 6 }}
  {{- if not (kindIs "invalid" .values.maxUnavailable) }}
  maxUnavailable: {{ .values.maxUnavailable }}
  {{- else }}
  minAvailable: {{ .values.minAvailable }}
  {{- end }}
  {{- with .values.unhealthyPodEvictionPolicy }}
  unhealthyPodEvictionPolicy: {{ . }}
  {{- end }}
{{- end -}}

{{/* Called with (dict "values" … "name" … "namespace" … "labels" … "container" …
     "more" …). The container is the one whose use counts: the controller beside
     nginx is idle when nginx is busy, and would halve the average. */}}
{{- define "sidegate.autoscaler" -}}
apiVersion: autoscaling/v2
kind: HorizontalPodAutoscaler
metadata:
  name: {{ .name }}
  namespace: {{ .namespace }}
  labels:
    {{- .labels | nindent 4 }}
  {{- with .values.annotations }}
  annotations:
    {{- include "sidegate.texts" . | nindent 4 }}
  {{- end }}
spec:
  scaleTargetRef:
    apiVersion: apps/v1
    kind: Deployment
    name: {{ .name }}
  minReplicas: {{ .values.minReplicas }}
  maxReplicas: {{ .values.maxReplicas }}
  metrics:
    {{- $container := .container }}
    {{- range $resource, $target := dict "memory" .values.targetMemoryUtilizationPercentage "cpu" .values.targetCPUUtilizationPercentage }}
    {{- with $target }}
    - type: ContainerResource
      containerResource:
        name: {{ $resource }}
        container: {{ $container }}
        target:
          type: Utilization
          averageUtilization: {{ . }}
    {{- end }}
    {{- end }}
    {{- with .more }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- with .values.behavior }}
  behavior:
    {{- toYaml . | nindent 4 }}
  {{- end }}
{{- end -}}
