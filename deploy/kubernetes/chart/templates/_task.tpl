{{/* A pod that runs `fittracker` with each of .steps, one after the other, as the owner of the databases. */}}
{{- define "fittracker.task" -}}
{{- $root := .root }}
{{- $claim := .claim }}
metadata: {labels: {app: task, {{ include "fittracker.labels" $root | replace "\n" ", " }}}}
spec:
  restartPolicy: Never
  {{- include "fittracker.pod" $root | nindent 2 }}
  {{- $last := sub (len .steps) 1 | int }}
  {{- range $number, $step := .steps }}
  {{- if eq $number $last }}
  containers:
  {{- else if eq $number 0 }}
  initContainers:
  {{- end }}
    - name: step-{{ $number }}
      image: {{ include "fittracker.image" $root.Values.image }}
      imagePullPolicy: {{ $root.Values.image.pullPolicy }}
      args: {{ toJson $step }}
      env:
        {{- range $domain, $each := $root.Values.subgraphs }}
        - {name: DATABASE_URL_{{ upper $domain }}_FILE, value: /run/secrets/connections/database_url_owner_{{ $domain }}}
        {{- end }}
      resources: {requests: {cpu: 100m, memory: 128Mi}, limits: {memory: 512Mi}}
      securityContext: {{- include "fittracker.confined" $root | nindent 8 }}
      volumeMounts:
        {{- include "fittracker.mounts" $root | nindent 8 }}
        {{- if $claim }}
        - {name: backups, mountPath: /backups}
        - {name: backup-secret, mountPath: /run/secrets/backup, readOnly: true}
        {{- end }}
  {{- end }}
  volumes:
    {{- include "fittracker.volumes" $root | nindent 4 }}
    {{- if $claim }}
    - {name: backups, persistentVolumeClaim: {claimName: {{ $claim }}}}
    - {name: backup-secret, secret: {secretName: {{ $root.Values.backupSecret }}}}
    {{- end }}
{{- end }}
