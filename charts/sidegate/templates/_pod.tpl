{{/* The pod: a native sidecar with the controller, which has the token, and the
     stock nginx, which has none. docs/design.md says why it is so. */}}

{{- define "sidegate.podSecurityContext" -}}
{{- $c := .Values.controller -}}
{{- $own := dict "runAsNonRoot" true "runAsUser" 101 "runAsGroup" 101 "fsGroup" 101 "seccompProfile" (dict "type" "RuntimeDefault") -}}
{{- $merged := mustMergeOverwrite $own (omit (deepCopy $c.podSecurityContext) "sysctls") -}}
{{- $sysctls := dict -}}
{{- /* Not with the node's network, whose sysctls are the node's. */ -}}
{{- if not $c.hostNetwork -}}{{- $_ := set $sysctls "net.ipv4.ip_unprivileged_port_start" "0" -}}{{- end -}}
{{- range $c.podSecurityContext.sysctls -}}{{- $_ := set $sysctls .name .value -}}{{- end -}}
{{- range $name, $value := $c.sysctls -}}{{- $_ := set $sysctls $name (include "sidegate.text" $value) -}}{{- end -}}
{{- $list := list -}}
{{- range $name := keys $sysctls | sortAlpha -}}{{- $list = append $list (dict "name" $name "value" (get $sysctls $name | toString)) -}}{{- end -}}
{{- if $list -}}{{- $_ := set $merged "sysctls" $list -}}{{- end -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* The nginx of the image for the host's network has the capability
     NET_BIND_SERVICE, without which it cannot listen on ports below 1024 there. An
     image of one's own has one nginx. */}}
{{- define "sidegate.nginxBinary" -}}
{{- if and .Values.controller.hostNetwork (not .Values.sidegate.nginxImage) -}}nginx-hostnetwork{{- else -}}nginx{{- end -}}
{{- end -}}

{{/* Both containers run nginx: where the capability of nginx-hostnetwork is not
     allowed, it cannot even be started. */}}
{{- define "sidegate.containerSecurityContext" -}}
{{- $user := deepCopy .Values.controller.containerSecurityContext -}}
{{- $own := dict "allowPrivilegeEscalation" false "readOnlyRootFilesystem" true "capabilities" (dict "drop" (list "ALL")) -}}
{{- $merged := mustMergeOverwrite $own $user -}}
{{- $add := dig "capabilities" "add" list $user | default list -}}
{{- if not (or (has "NET_BIND_SERVICE" $add) (has "ALL" $add)) -}}{{- $add = append $add "NET_BIND_SERVICE" -}}{{- end -}}
{{- $_ := set $merged.capabilities "add" $add -}}
{{- toYaml $merged -}}
{{- end -}}

{{/* Of a probe in the values only the times are taken: what ingress-nginx asks for
     is not what there is to ask here. Called with (dict "own" … "user" …). */}}
{{- define "sidegate.probe" -}}
{{- $times := pick (.user | default dict) "initialDelaySeconds" "periodSeconds" "timeoutSeconds" "successThreshold" "failureThreshold" "terminationGracePeriodSeconds" -}}
{{- toYaml (mustMergeOverwrite .own $times) -}}
{{- end -}}

{{/* How long a pod that is to end still takes new connections. */}}
{{- define "sidegate.preStopSeconds" -}}
{{- int (toString (get .Values.controller.extraArgs "shutdown-grace-period" | default .Values.sidegate.preStopSeconds)) -}}
{{- end -}}

{{/* The sleep is there from 1.30 on, which the chart asks for. It takes of the
     grace period: an API server refuses one that is longer. Before 1.32 it refuses
     a sleep of 0 as well, so there is none then. */}}
{{- define "sidegate.lifecycle" -}}
{{- $seconds := include "sidegate.preStopSeconds" . | int -}}
{{- $grace := .Values.controller.terminationGracePeriodSeconds | int -}}
{{- $user := deepCopy .Values.controller.lifecycle -}}
{{- if contains "wait-shutdown" (toJson $user) -}}{{- $_ := unset $user "preStop" -}}{{- end -}}
{{- if and (not $user.preStop) (gt $seconds 0) -}}
{{- if gt $seconds $grace -}}
{{- fail (printf "sidegate.preStopSeconds, or the flag shutdown-grace-period, is %d, and must not be more than controller.terminationGracePeriodSeconds, which is %d: the one is a part of the other" $seconds $grace) -}}
{{- end -}}
{{- $_ := set $user "preStop" (dict "sleep" (dict "seconds" $seconds)) -}}
{{- end -}}
{{- if $user -}}{{- toYaml $user -}}{{- end -}}
{{- end -}}

{{- define "sidegate.containers.controller" -}}
{{- $c := .Values.controller -}}
name: controller
image: {{ include "sidegate.image" . }}
imagePullPolicy: {{ $c.image.pullPolicy }}
restartPolicy: Always
args:
  {{- include "sidegate.flags" . | nindent 2 }}
env:
  - name: POD_NAME
    valueFrom:
      fieldRef:
        fieldPath: metadata.name
  - name: POD_NAMESPACE
    valueFrom:
      fieldRef:
        fieldPath: metadata.namespace
  {{- with $c.extraEnvs }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
ports:
  - name: {{ $c.metrics.portName }}
    containerPort: {{ include "sidegate.healthPort" . }}
    protocol: TCP
{{- $get := dict "port" (include "sidegate.healthPort" . | int) "scheme" "HTTP" }}
startupProbe:
  {{- /* nginx starts when this passes: when the first complete configuration is there. */}}
  {{- include "sidegate.probe" (dict "user" $c.startupProbe "own" (dict "httpGet" (merge (dict "path" "/startupz") $get) "periodSeconds" 1 "timeoutSeconds" 2 "failureThreshold" (int .Values.sidegate.startupSeconds))) | nindent 2 }}
livenessProbe:
  {{- include "sidegate.probe" (dict "user" $c.livenessProbe "own" (dict "httpGet" (merge (dict "path" $c.healthCheckPath) $get) "periodSeconds" 10 "timeoutSeconds" 2 "failureThreshold" 5)) | nindent 2 }}
readinessProbe:
  {{- include "sidegate.probe" (dict "user" $c.readinessProbe "own" (dict "httpGet" (merge (dict "path" "/readyz") $get) "periodSeconds" 5 "timeoutSeconds" 2 "failureThreshold" 3)) | nindent 2 }}
resources:
  {{- toYaml .Values.sidegate.resources | nindent 2 }}
securityContext:
  {{- include "sidegate.containerSecurityContext" . | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/nginx/sidegate
  - name: run
    mountPath: /etc/nginx/sidegate/run
  - name: secrets
    mountPath: /etc/nginx/sidegate/secrets
  {{- /* The socket of the debug endpoint, which shows every tenant's configuration: nginx does not have this volume. */}}
  - name: private
    mountPath: /run/sidegate
  - name: token
    mountPath: /var/run/secrets/kubernetes.io/serviceaccount
    readOnly: true
  {{- with include "sidegate.templateDir" . }}
  - name: templates
    mountPath: {{ . }}
    readOnly: true
  {{- end }}
  {{- with $c.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "sidegate.containers.nginx" -}}
{{- $c := .Values.controller -}}
name: nginx
image: {{ include "sidegate.nginxImage" . }}
imagePullPolicy: {{ $c.image.pullPolicy }}
{{- /* nginx itself, past the scripts of an image's entry point. */}}
command: [{{ include "sidegate.nginxBinary" . | quote }}, "-c", "/etc/nginx/sidegate/current/nginx.conf", "-e", "stderr", "-g", "daemon off;"]
{{- with $c.extraEnvs }}
env:
  {{- toYaml . | nindent 2 }}
{{- end }}
ports:
  {{- range $name, $port := dict "http" (include "sidegate.httpPort" .) "https" (include "sidegate.httpsPort" .) }}
  - name: {{ $name }}
    containerPort: {{ $port }}
    protocol: TCP
    {{- if $c.hostNetwork }}
    hostPort: {{ $port }}
    {{- else if $c.hostPort.enabled }}
    hostPort: {{ get $c.hostPort.ports $name | default $port }}
    {{- end }}
  {{- end }}
{{- /* A connection, and no request: with the PROXY protocol a kubelet's request is refused. */}}
{{- $tcp := dict "tcpSocket" (dict "port" "http") }}
startupProbe:
  {{- include "sidegate.probe" (dict "own" (merge (dict "periodSeconds" 1 "timeoutSeconds" 2 "failureThreshold" 60) $tcp)) | nindent 2 }}
livenessProbe:
  {{- include "sidegate.probe" (dict "user" (omit $c.livenessProbe "initialDelaySeconds") "own" (merge (dict "periodSeconds" 10 "timeoutSeconds" 2 "failureThreshold" 5) $tcp)) | nindent 2 }}
{{- with include "sidegate.lifecycle" . }}
lifecycle:
  {{- . | nindent 2 }}
{{- end }}
resources:
  {{- toYaml $c.resources | nindent 2 }}
{{- with $c.resizePolicy }}
resizePolicy:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "sidegate.containerSecurityContext" . | nindent 2 }}
volumeMounts:
  - name: config
    mountPath: /etc/nginx/sidegate
    readOnly: true
  - name: run
    mountPath: /etc/nginx/sidegate/run
  - name: secrets
    mountPath: /etc/nginx/sidegate/secrets
    readOnly: true
  {{- with $c.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end -}}

{{- define "sidegate.volumes" -}}
{{- $c := .Values.controller -}}
- name: config
  emptyDir: {}
- name: run
  emptyDir: {}
- name: secrets
  emptyDir:
    medium: Memory
- name: private
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: token
  projected:
    sources:
      - serviceAccountToken:
          path: token
          expirationSeconds: 3607
      - configMap:
          name: kube-root-ca.crt
          items:
            - key: ca.crt
              path: ca.crt
      - downwardAPI:
          items:
            - path: namespace
              fieldRef:
                fieldPath: metadata.namespace
{{- if include "sidegate.templateDir" . }}
- name: templates
  configMap:
    name: {{ $c.customTemplate.configMapName }}
{{- end }}
{{- with $c.extraVolumes }}
{{ toYaml . }}
{{- end }}
{{- end -}}
