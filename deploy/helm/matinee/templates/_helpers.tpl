{{/* The name that all objects begin with. */}}
{{- define "matinee.name" -}}
{{- if contains "matinee" .Release.Name -}}
{{- .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- else -}}
{{- printf "%s-matinee" .Release.Name | trunc 40 | trimSuffix "-" -}}
{{- end -}}
{{- end -}}

{{/* Labels by which a component's pods are selected: dict "root" $ "component" name */}}
{{- define "matinee.selector" -}}
app.kubernetes.io/name: matinee
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .component }}
{{- end -}}

{{- define "matinee.labels" -}}
{{ include "matinee.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ .root.Chart.Name }}-{{ .root.Chart.Version }}
{{- end -}}

{{/* An image: dict "root" $ "image" name of the Dockerfile's target */}}
{{- define "matinee.image" -}}
{{- $image := .root.Values.image -}}
{{- with $image.registry }}{{ . }}/{{ end -}}
matinee-{{ .image }}:{{ $image.tag | default .root.Chart.AppVersion }}
{{- end -}}

{{/* What every pod has, before its containers: dict "root" $ "component" name "user" id */}}
{{- define "matinee.pod" -}}
serviceAccountName: {{ include "matinee.name" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .root.Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .user }}
  runAsGroup: {{ .user }}
  fsGroup: {{ .user }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .root.Values.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .root.Values.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
topologySpreadConstraints:
  - maxSkew: 1
    topologyKey: kubernetes.io/hostname
    whenUnsatisfiable: ScheduleAnyway
    labelSelector:
      matchLabels: {{- include "matinee.selector" . | nindent 8 }}
{{- end -}}

{{- define "matinee.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{/* How a component's pods are replaced: one more before one less, so that requests are always answered. */}}
{{- define "matinee.rolling" -}}
strategy:
  type: RollingUpdate
  rollingUpdate: {maxSurge: 1, maxUnavailable: 0}
{{- end -}}

{{/* Stores, for a service: dict "root" $ "service" name of the MySQL user */}}
{{- define "matinee.stores" -}}
- name: DATABASE_URL
  value: mysql+pymysql://{{ .service }}@{{ .root.Values.database.host }}:{{ .root.Values.database.port }}/{{ .root.Values.database.name }}
- name: DATABASE_PASSWORD
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.database.existingSecret }}, key: {{ .service }}-password}
- name: REDIS_URL
  valueFrom:
    secretKeyRef: {name: {{ .root.Values.redis.existingSecret }}, key: {{ .service }}-url}
- name: TRUST_GATEWAY
  value: "true"
{{- end -}}

{{/* Where the files of videos are, for the gateway, which needs no key. */}}
{{- define "matinee.store" -}}
{{- $s3 := .Values.storage.s3 -}}
- name: STORE
  value: {{ .Values.storage.store }}
{{- if $s3.bucket }}
- name: S3_BUCKET
  value: {{ $s3.bucket | quote }}
- name: S3_REGION
  value: {{ $s3.region | quote }}
- name: S3_ADDRESSING
  value: {{ $s3.addressing | quote }}
{{- with $s3.endpoint }}
- name: S3_ENDPOINT
  value: {{ . | quote }}
{{- end }}
{{- end }}
{{- end -}}

{{- define "matinee.storeWithKeys" -}}
{{- $s3 := .Values.storage.s3 -}}
{{ include "matinee.store" . }}
{{- if $s3.bucket }}
{{- with $s3.prefix }}
- name: S3_PREFIX
  value: {{ . | quote }}
{{- end }}
{{- with $s3.encryption }}
- name: S3_SSE
  value: {{ . | quote }}
{{- end }}
- name: S3_ACCESS_KEY
  valueFrom:
    secretKeyRef: {name: {{ $s3.existingSecret }}, key: access-key}
- name: S3_SECRET_KEY
  valueFrom:
    secretKeyRef: {name: {{ $s3.existingSecret }}, key: secret-key}
{{- end }}
{{- end -}}

{{- define "matinee.settings" -}}
envFrom:
  - configMapRef: {name: {{ include "matinee.name" . }}-settings}
{{- end -}}

{{/* A change of the settings starts the pods anew. */}}
{{- define "matinee.settingsChecksum" -}}
checksum/settings: {{ toJson .Values.settings | sha256sum }}
{{- end -}}

{{- define "matinee.claim" -}}
{{ .Values.storage.videos.existingClaim | default (printf "%s-videos" (include "matinee.name" .)) }}
{{- end -}}

{{/* The volume that all pods share; where uploads go to the object store, space of each pod's own. */}}
{{- define "matinee.videos" -}}
{{- if eq .Values.storage.uploads "s3" -}}
emptyDir: {sizeLimit: {{ .Values.storage.scratchSize }}}
{{- else -}}
persistentVolumeClaim: {claimName: {{ include "matinee.claim" . }}}
{{- end -}}
{{- end -}}

{{- define "matinee.buildsClaim" -}}
{{ .Values.staticBuilds.existingClaim | default (printf "%s-builds" (include "matinee.name" .)) }}
{{- end -}}

{{/* Programs without HTTP touch a file every few seconds, even while their stores are down. */}}
{{- define "matinee.heartbeat" -}}
livenessProbe:
  exec:
    command:
      - python
      - -c
      - "import os, time; raise SystemExit(time.time() - os.stat('/tmp/heartbeat').st_mtime > 60)"
  initialDelaySeconds: 30
  periodSeconds: 20
  timeoutSeconds: 5
  failureThreshold: 3
{{- end -}}

{{/* The names under which the site answers. */}}
{{- define "matinee.allowedHosts" -}}
{{- $hosts := compact (list (.Values.settings.ALLOWED_HOSTS | default "")) -}}
{{- if .Values.ingress.enabled }}{{ $hosts = append $hosts .Values.ingress.host }}{{ end -}}
{{- if .Values.httpRoute.enabled }}{{ $hosts = concat $hosts .Values.httpRoute.hostnames }}{{ end -}}
{{ $hosts | uniq | join "," }}
{{- end -}}

{{/* What pods may reach: parts of a NetworkPolicy. */}}
{{- define "matinee.dns" -}}
- ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end }}

{{- define "matinee.databaseEgress" -}}
- to: {{- toYaml .Values.networkPolicies.databasePeers | nindent 4 }}
  ports:
    - {protocol: TCP, port: {{ .Values.database.port }}}
{{- end }}

{{- define "matinee.redisEgress" -}}
- to: {{- toYaml .Values.networkPolicies.redisPeers | nindent 4 }}
  ports:
    {{- range .Values.networkPolicies.redisPorts }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}

{{- define "matinee.s3Egress" -}}
{{- if .Values.storage.s3.bucket -}}
- to: {{- toYaml .Values.networkPolicies.s3Peers | nindent 4 }}
  ports:
    {{- range .Values.networkPolicies.s3Ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end }}
{{- end }}

{{- define "matinee.newClaim" }}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata:
  name: {{ .name }}
  labels: {{- include "matinee.labels" (dict "root" .root "component" .component) | nindent 4 }}
  annotations:
    # `helm uninstall` leaves it.
    helm.sh/resource-policy: keep
spec:
  accessModes: [ReadWriteMany]
  {{- with .values.storageClass }}
  storageClassName: {{ . }}
  {{- end }}
  resources:
    requests: {storage: {{ .values.size }}}
{{- end }}
