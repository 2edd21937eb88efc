{{/* A Service for traffic: called with (dict "context" $ "own" VALUES "name" … "suffix" …
     "type" …). own is controller.service or controller.service.internal; what the
     latter leaves open is as in the former. */}}
{{- define "sidegate.service" -}}
{{- $ := .context -}}
{{- $s := $.Values.controller.service -}}
{{- $own := .own -}}
{{- $type := .type -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "sidegate.controller.fullname" $ }}{{ .suffix }}
  namespace: {{ include "sidegate.namespace" $ }}
  labels:
    {{- include "sidegate.labelsOf" (dict "context" $ "component" "controller" "more" (list $.Values.controller.labels $s.labels .labels)) | nindent 4 }}
  {{- with $own.annotations }}
  annotations:
    {{- include "sidegate.texts" . | nindent 4 }}
  {{- end }}
spec:
  type: {{ $type }}
  {{- with $own.clusterIP }}
  clusterIP: {{ . }}
  {{- end }}
  {{- with $own.clusterIPs }}
  clusterIPs:{{ toYaml . | nindent 4 }}
  {{- end }}
  {{- with $own.externalIPs }}
  externalIPs:{{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if eq $type "LoadBalancer" }}
  {{- with $own.loadBalancerIP }}
  loadBalancerIP: {{ . }}
  {{- end }}
  {{- with $own.loadBalancerClass }}
  loadBalancerClass: {{ . }}
  {{- end }}
  {{- with $own.loadBalancerSourceRanges }}
  loadBalancerSourceRanges:{{ toYaml . | nindent 4 }}
  {{- end }}
  {{- if not (kindIs "invalid" $own.allocateLoadBalancerNodePorts) }}
  allocateLoadBalancerNodePorts: {{ $own.allocateLoadBalancerNodePorts }}
  {{- end }}
  {{- end }}
  {{- with $own.externalTrafficPolicy }}
  externalTrafficPolicy: {{ . }}
  {{- end }}
  {{- with $own.sessionAffinity }}
  sessionAffinity: {{ . }}
  {{- end }}
  {{- with $own.healthCheckNodePort }}
  healthCheckNodePort: {{ . }}
  {{- end }}
  {{- with $own.trafficDistribution }}
  trafficDistribution: {{ . }}
  {{- end }}
  {{- with $own.ipFamilyPolicy }}
  ipFamilyPolicy: {{ . }}
  {{- end }}
  {{- with $own.ipFamilies }}
  ipFamilies:{{ toYaml . | nindent 4 }}
  {{- end }}
  ports:
    {{- $on := dict "http" $s.enableHttp "https" $s.enableHttps }}
    {{- range $name := list "http" "https" }}
    {{- if get $on $name }}
    - name: {{ $name }}
      port: {{ get $own.ports $name | default (get $s.ports $name) }}
      protocol: TCP
      targetPort: {{ get $own.targetPorts $name | default (get $s.targetPorts $name) }}
      {{- if $own.appProtocol }}
      appProtocol: {{ $name }}
      {{- end }}
      {{- if has $type (list "LoadBalancer" "NodePort") }}
      {{- with get $own.nodePorts $name }}
      nodePort: {{ . }}
      {{- end }}
      {{- end }}
    {{- end }}
    {{- end }}
  selector:
    {{- include "sidegate.controller.selectorLabels" $ | nindent 4 }}
{{- end -}}
