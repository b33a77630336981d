// Annotations of ours on objects of other groups.

/** On a Work that is on its way out: its objects are wanted in the cluster again, and stay for the next Work. */
export const LEAVE_OBJECTS_ANNOTATION = 'navarch.io/leave-objects';

/** On a template that must never run twice: `true`. Its copies are fenced (docs/stateful-failover.md). */
export const AT_MOST_ONCE_ANNOTATION = 'navarch.io/at-most-once';

/** On such a template, where its pods are made from something else than `spec.template`: the path to that. */
export const POD_TEMPLATE_PATH_ANNOTATION = 'navarch.io/pod-template-path';

/** On fenced pods and on their lease: the name of the lease. On fenced objects in members, as an annotation. */
export const FENCE_LABEL = 'navarch.io/fence';

/** Scheduling gate that holds a fenced pod until its lease is good. */
export const FENCE_GATE = 'navarch.io/fence';

/** On a Cluster that is on its way out: `true` leaves what is in the member where it is, without asking the member. */
export const LEAVE_BEHIND_ANNOTATION = 'navarch.io/leave-behind';

/** On a template whose dependencies follow it: `true` takes along the Services that lead to its pods. */
export const WITH_SERVICES_ANNOTATION = 'navarch.io/with-services';

/** On a Cluster: `true` stops everything that is written to it, and nothing new is scheduled to it (docs/suspension.md). */
export const CLUSTER_SUSPENDED_ANNOTATION = 'navarch.io/suspended';

/**
 * On suspended policies, bindings and clusters: who suspended them, from when on, until when (both RFC 3339) and why. The
 * first two are written by the control plane, whatever a client says.
 */
export const SUSPENSION_BY_ANNOTATION = 'navarch.io/suspended-by';
export const SUSPENSION_SINCE_ANNOTATION = 'navarch.io/suspended-at';
export const SUSPENSION_UNTIL_ANNOTATION = 'navarch.io/suspended-until';
export const SUSPENSION_REASON_ANNOTATION = 'navarch.io/suspension-reason';

/** On the same: the last ten things that happened to their suspension, as JSON; written by the control plane alone. */
export const SUSPENSION_HISTORY_ANNOTATION = 'navarch.io/suspension-history';
