{{- define "fittracker.image" -}}
{{ .repository }}{{ with .tag }}:{{ . }}{{ end }}
{{- end }}

{{- define "fittracker.labels" -}}
app.kubernetes.io/name: fittracker
app.kubernetes.io/instance: {{ .Release.Name }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
{{- end }}

{{/* What no container of ours may do. */}}
{{- define "fittracker.confined" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: {drop: [ALL]}
{{- end }}

{{- define "fittracker.pod" -}}
securityContext: {runAsNonRoot: true, runAsUser: 10001, runAsGroup: 10001, fsGroup: 10001, seccompProfile: {type: RuntimeDefault}}
automountServiceAccountToken: false
terminationGracePeriodSeconds: 40
{{- end }}

{{/* Secrets as files, as the settings read them by NAME_FILE. */}}
{{- define "fittracker.volumes" -}}
- {name: tmp, emptyDir: {sizeLimit: {{ .Values.temporarySpace }}}}
- {name: identity, secret: {secretName: {{ .Values.identitySecret }}}}
- {name: connections, secret: {secretName: {{ .Values.connectionsSecret }}}}
{{- end }}

{{- define "fittracker.mounts" -}}
- {name: tmp, mountPath: /tmp}
- {name: identity, mountPath: /run/secrets/identity, readOnly: true}
- {name: connections, mountPath: /run/secrets/connections, readOnly: true}
{{- end }}

{{/* Readiness first: on SIGTERM the process answers 503 there, and endpoints have time to leave the lists. */}}
{{- define "fittracker.probes" -}}
startupProbe: {httpGet: {path: /live, port: http}, periodSeconds: 2, failureThreshold: 60}
livenessProbe: {httpGet: {path: /live, port: http}, periodSeconds: 10, timeoutSeconds: 3}
readinessProbe: {httpGet: {path: /ready, port: http}, periodSeconds: 5, timeoutSeconds: 3, failureThreshold: 2}
lifecycle: {preStop: {exec: {command: [sleep, "5"]}}}
{{- end }}

{{- define "fittracker.routerSpec" -}}
metadata:
  labels: {app: router, track: {{ .track }}, {{ include "fittracker.labels" .root | replace "\n" ", " }}}
  annotations:
    prometheus.io/scrape: "true"
    prometheus.io/port: "9080"
    prometheus.io/path: /actuator/prometheus
spec:
  {{- include "fittracker.pod" .root | nindent 2 }}
  topologySpreadConstraints:
    - {maxSkew: 1, topologyKey: topology.kubernetes.io/zone, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: router}}}
    - {maxSkew: 1, topologyKey: kubernetes.io/hostname, whenUnsatisfiable: ScheduleAnyway, labelSelector: {matchLabels: {app: router}}}
  containers:
    - name: router
      image: {{ .image }}
      imagePullPolicy: {{ .root.Values.image.pullPolicy }}
      args: [router, --config, /etc/fittracker/router.yaml]
      ports: [{name: http, containerPort: 8080}, {name: management, containerPort: 9080}]
      env:
        - {name: FITTRACKER_ENV, value: prod}
        - {name: ROUTER_WORKERS, value: {{ .root.Values.router.workers | quote }}}
        - {name: ROUTER_TRUSTED_PROXIES, value: {{ .root.Values.router.trustedProxies | quote }}}
        - {name: ROUTER_ALLOWED_HOSTS, value: {{ .root.Values.router.allowedHosts | quote }}}
        - {name: JWT_SECRET_FILE, value: /run/secrets/identity/jwt_secret}
        - {name: JWT_PREVIOUS_SECRETS, valueFrom: {secretKeyRef: {name: {{ .root.Values.identitySecret }}, key: jwt_previous_secrets, optional: true}}}
        - {name: ROUTER_REDIS_URL_FILE, value: /run/secrets/connections/router_redis_url}
        - {name: OTEL_EXPORTER_OTLP_ENDPOINT, value: {{ .root.Values.otlpEndpoint | quote }}}
        {{- range $name, $_ := .root.Values.subgraphs }}
        - {name: {{ upper $name }}_HOST, value: {{ $name }}}
        {{- end }}
      resources: {{ toJson .root.Values.router.resources }}
      securityContext: {{- include "fittracker.confined" .root | nindent 8 }}
      {{- include "fittracker.probes" .root | nindent 6 }}
      volumeMounts: {{- include "fittracker.mounts" .root | nindent 8 }}
  volumes: {{- include "fittracker.volumes" .root | nindent 4 }}
{{- end }}
