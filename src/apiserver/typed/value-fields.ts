// What OpenAPI does not tell about the Go types behind the built-in kinds, and what shows in their JSON: which
// optional scalars are plain values (left out when zero) and which are pointers (a zero that was sent stays),
// and which lists and times are written even when they are empty. Named `Type.field`, where the type is the
// last part of the definition's name, or `version.Type.field` where versions differ.

/** Optional numbers and booleans without a pointer: zero and false are left out. */
const valueScalars = `
DaemonSetSpec.minReadySeconds DaemonSetStatus.numberAvailable DaemonSetStatus.numberUnavailable
DaemonSetStatus.observedGeneration DaemonSetStatus.updatedNumberScheduled DeploymentSpec.minReadySeconds
DeploymentSpec.paused DeploymentStatus.availableReplicas DeploymentStatus.observedGeneration
DeploymentStatus.readyReplicas DeploymentStatus.replicas DeploymentStatus.unavailableReplicas
DeploymentStatus.updatedReplicas ReplicaSetSpec.minReadySeconds ReplicaSetStatus.availableReplicas
ReplicaSetStatus.fullyLabeledReplicas ReplicaSetStatus.observedGeneration ReplicaSetStatus.readyReplicas
StatefulSetSpec.minReadySeconds StatefulSetStatus.currentReplicas StatefulSetStatus.observedGeneration
StatefulSetStatus.readyReplicas StatefulSetStatus.updatedReplicas HorizontalPodAutoscalerStatus.currentReplicas
JobStatus.active JobStatus.failed JobStatus.succeeded ContainerImage.sizeBytes ContainerPort.hostPort
ContainerStateTerminated.signal Event.count EventSeries.count PodCondition.observedGeneration
PodStatus.observedGeneration Probe.failureThreshold Probe.initialDelaySeconds Probe.periodSeconds
Probe.successThreshold Probe.timeoutSeconds ReplicationControllerSpec.minReadySeconds
ReplicationControllerStatus.availableReplicas ReplicationControllerStatus.fullyLabeledReplicas
ReplicationControllerStatus.observedGeneration ReplicationControllerStatus.readyReplicas ServicePort.nodePort
ServiceSpec.healthCheckNodePort ServiceSpec.publishNotReadyAddresses Event.deprecatedCount
ServiceBackendPort.number PodDisruptionBudgetStatus.observedGeneration DeviceSubRequest.count
ExactDeviceRequest.count CustomResourceColumnDefinition.priority
CustomResourceDefinitionCondition.observedGeneration CustomResourceDefinitionStatus.observedGeneration
Condition.observedGeneration ObjectMeta.generation Status.code StatusDetails.retryAfterSeconds
AWSElasticBlockStoreVolumeSource.partition GCEPersistentDiskVolumeSource.partition
ValidatingAdmissionPolicyStatus.observedGeneration TokenReviewStatus.authenticated
SubjectAccessReviewStatus.denied AWSElasticBlockStoreVolumeSource.readOnly
AzureFilePersistentVolumeSource.readOnly AzureFileVolumeSource.readOnly CSIPersistentVolumeSource.readOnly
CephFSPersistentVolumeSource.readOnly CephFSVolumeSource.readOnly CinderPersistentVolumeSource.readOnly
CinderVolumeSource.readOnly Container.stdin Container.stdinOnce Container.tty EphemeralContainer.stdin
EphemeralContainer.stdinOnce EphemeralContainer.tty FCVolumeSource.readOnly
FlexPersistentVolumeSource.readOnly FlexVolumeSource.readOnly GCEPersistentDiskVolumeSource.readOnly
GlusterfsVolumeSource.readOnly ISCSIPersistentVolumeSource.chapAuthDiscovery
ISCSIPersistentVolumeSource.chapAuthSession ISCSIPersistentVolumeSource.readOnly
ISCSIVolumeSource.chapAuthDiscovery ISCSIVolumeSource.chapAuthSession ISCSIVolumeSource.readOnly
NFSVolumeSource.readOnly NodeSpec.unschedulable PersistentVolumeClaimVolumeSource.readOnly PodSpec.hostIPC
PodSpec.hostNetwork PodSpec.hostPID PortworxVolumeSource.readOnly QuobyteVolumeSource.readOnly
RBDPersistentVolumeSource.readOnly RBDVolumeSource.readOnly ScaleIOPersistentVolumeSource.readOnly
ScaleIOPersistentVolumeSource.sslEnabled ScaleIOVolumeSource.readOnly ScaleIOVolumeSource.sslEnabled
StorageOSPersistentVolumeSource.readOnly StorageOSVolumeSource.readOnly VolumeMount.readOnly
VolumeMountStatus.readOnly ResourcePolicyRule.clusterScope PriorityClass.globalDefault
CustomResourceDefinitionSpec.preserveUnknownFields CustomResourceDefinitionVersion.deprecated
JSONSchemaProps.exclusiveMaximum JSONSchemaProps.exclusiveMinimum JSONSchemaProps.nullable
JSONSchemaProps.uniqueItems JSONSchemaProps.x-kubernetes-embedded-resource
JSONSchemaProps.x-kubernetes-int-or-string APIServiceSpec.insecureSkipTLSVerify
`;

/** Optional strings behind a pointer: an empty one that was sent stays. */
const pointerStrings = `
PersistentVolumeClaimSpec.storageClassName PersistentVolumeClaimSpec.volumeAttributesClassName
PersistentVolumeClaimSpec.volumeMode PersistentVolumeSpec.volumeMode
PersistentVolumeSpec.volumeAttributesClassName IngressSpec.ingressClassName PodSpec.runtimeClassName
PodSpec.hostnameOverride PodSpec.preemptionPolicy HostPathVolumeSource.type LeaseSpec.holderIdentity
LeaseSpec.strategy LeaseSpec.preferredHolder ServicePort.appProtocol ServiceSpec.ipFamilyPolicy
ServiceSpec.internalTrafficPolicy ServiceSpec.loadBalancerClass ServiceSpec.trafficDistribution
v1.EndpointPort.appProtocol discovery.v1.EndpointPort.name discovery.v1.EndpointPort.protocol
Endpoint.hostname Endpoint.nodeName Endpoint.zone EndpointAddress.nodeName HTTPIngressPath.pathType
NetworkPolicyPort.protocol TypedLocalObjectReference.apiGroup TypedObjectReference.apiGroup
TypedObjectReference.namespace JobSpec.completionMode JobSpec.podReplacementPolicy JobSpec.managedBy
CronJobSpec.timeZone SecurityContext.procMount SeccompProfile.localhostProfile
AppArmorProfile.localhostProfile ServiceReference.path WebhookClientConfig.url StorageClass.reclaimPolicy
StorageClass.volumeBindingMode GRPCAction.service VolumeMount.mountPropagation VolumeMount.recursiveReadOnly
PodSecurityContext.fsGroupChangePolicy PodSecurityContext.supplementalGroupsPolicy
IngressClassParametersReference.namespace IngressClassParametersReference.scope
IngressClassParametersReference.apiGroup Container.restartPolicy EphemeralContainer.restartPolicy
CSIVolumeSource.fsType VolumeNodeAffinity.required JobStatus.failedIndexes JSONSchemaProps.$ref
JSONSchemaProps.x-kubernetes-list-type JSONSchemaProps.x-kubernetes-map-type PodDNSConfigOption.value
VolumeAttachmentSource.persistentVolumeName EnvFromSource.prefix
`;

/** Lists that are written as null when nobody set them, besides those the schema requires. */
const alwaysWrittenLists = `
Role.rules ClusterRole.rules autoscaling.v2.HorizontalPodAutoscalerStatus.currentMetrics EndpointSlice.endpoints
EndpointSlice.ports CustomResourceDefinitionStatus.conditions CustomResourceDefinitionStatus.storedVersions
`;

/** Times without a pointer: written as null when nobody set them. */
const alwaysWrittenTimes = `
DaemonSetCondition.lastTransitionTime DeploymentCondition.lastTransitionTime DeploymentCondition.lastUpdateTime
ReplicaSetCondition.lastTransitionTime StatefulSetCondition.lastTransitionTime
TokenRequestStatus.expirationTimestamp HorizontalPodAutoscalerCondition.lastTransitionTime
JobCondition.lastProbeTime JobCondition.lastTransitionTime CertificateSigningRequestCondition.lastTransitionTime
CertificateSigningRequestCondition.lastUpdateTime ContainerStateRunning.startedAt
ContainerStateTerminated.finishedAt ContainerStateTerminated.startedAt Event.eventTime Event.firstTimestamp
Event.lastTimestamp EventSeries.lastObservedTime NamespaceCondition.lastTransitionTime
NodeCondition.lastHeartbeatTime NodeCondition.lastTransitionTime PersistentVolumeClaimCondition.lastProbeTime
PersistentVolumeClaimCondition.lastTransitionTime PodCondition.lastProbeTime PodCondition.lastTransitionTime
ReplicationControllerCondition.lastTransitionTime Event.deprecatedFirstTimestamp Event.deprecatedLastTimestamp
FlowSchemaCondition.lastTransitionTime PriorityLevelConfigurationCondition.lastTransitionTime VolumeError.time
CustomResourceDefinitionCondition.lastTransitionTime Condition.lastTransitionTime
APIServiceCondition.lastTransitionTime
`;

function names(text: string): ReadonlySet<string> {
  return new Set(text.trim().split(/\s+/));
}

const tables = {
  valueScalar: names(valueScalars),
  pointerString: names(pointerStrings),
  list: names(alwaysWrittenLists),
  time: names(alwaysWrittenTimes),
};

/** Whether the field of the type with this definition name is of the asked sort. */
export function isListed(sort: keyof typeof tables, definition: string, field: string): boolean {
  const parts = definition.split('.');
  const table = tables[sort];
  for (let from = parts.length - 1; from >= Math.max(0, parts.length - 3); from--) {
    if (table.has(`${parts.slice(from).join('.')}.${field}`)) return true;
  }
  return false;
}
