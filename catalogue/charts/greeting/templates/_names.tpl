{{- define "greeting.labels" -}}
app.kubernetes.io/name: greeting
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}
