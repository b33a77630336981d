// Annotations of ours on objects of other groups.

/** On a Work that is on its way out: its objects are wanted in the cluster again, and stay for the next Work. */
export const LEAVE_OBJECTS_ANNOTATION = 'navarch.io/leave-objects';

/** On a Work that is on its way out: `true` keeps its objects in a cluster that came back, until something healthy is elsewhere. */
export const HOLD_REMOVAL_ANNOTATION = 'navarch.io/hold-removal';

/** On a binding: what Works on their way out leave in clusters until the next Work is there, as JSON. */
export const LEFT_OBJECTS_ANNOTATION = 'navarch.io/left-objects';

/** On a template that must never run twice: `true`. Its copies are fenced (docs/stateful-failover.md). */
export const AT_MOST_ONCE_ANNOTATION = 'navarch.io/at-most-once';

/** On such a template, where its pods are made from something else than `spec.template`: the path to that. */
export const POD_TEMPLATE_PATH_ANNOTATION = 'navarch.io/pod-template-path';

/** On fenced pods and on their lease: the name of the lease. On fenced objects in members, as an annotation. */
export const FENCE_LABEL = 'navarch.io/fence';

/** Scheduling gate that holds a fenced pod until its lease is good. */
export const FENCE_GATE = 'navarch.io/fence';

/** On a Work of a pull member whose copy is fenced: for how many seconds a renewal of its lease is good, as the hub counts. */
export const FENCE_LEASE_ANNOTATION = 'navarch.io/fence-lease-seconds';

/** On such a Work: when its agent last said that it would renew the lease. */
export const FENCE_RENEWED_ANNOTATION = 'navarch.io/fence-renewed';

/** On a Work of a pull member: which state its agent is to look for in related objects, as JSON (failover/asked-state.ts). */
export const STATE_ASKED_ANNOTATION = 'navarch.io/state-asked';

/** On such a Work: what the agent has found, as JSON. */
export const STATE_FOUND_ANNOTATION = 'navarch.io/state-found';

/** On a Cluster that is on its way out: `true` leaves what is in the member where it is, without asking the member. */
export const LEAVE_BEHIND_ANNOTATION = 'navarch.io/leave-behind';

/** On a template whose dependencies follow it: `true` takes along the Services that lead to its pods. */
export const WITH_SERVICES_ANNOTATION = 'navarch.io/with-services';

/** On templates, "true": what it needs takes along what that needs in turn. */
export const WITH_INDIRECT_ANNOTATION = 'navarch.io/with-indirect-dependencies';

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

/** On a Work: what becomes of its objects, by the cause of its end; JSON (propagation/deletion/rules.ts). */
export const DELETION_RULES_ANNOTATION = 'navarch.io/deletion-rules';

/** On a Work or a binding that is about to be deleted: why. */
export const REMOVAL_CAUSE_ANNOTATION = 'navarch.io/removal-cause';

/** On objects in members, as a label: the hub that they come from, by the uid of its namespace kube-system. */
export const ORIGIN_HUB_LABEL = 'navarch.io/origin-hub';

/** On objects in members: the template and the policy that they come from, each as kind/namespace/name. */
export const ORIGIN_TEMPLATE_ANNOTATION = 'navarch.io/origin-template';
export const ORIGIN_POLICY_ANNOTATION = 'navarch.io/origin-policy';

/** On objects in members: when the hub first put them there or took them over, and whose they were before. */
export const ORIGIN_TIME_ANNOTATION = 'navarch.io/origin-time';
export const PREVIOUS_OWNER_ANNOTATION = 'navarch.io/previous-owner';

/** On objects that were left in a member: a label that says why, and since when. */
export const ORPHANED_LABEL = 'navarch.io/orphaned';
export const ORPHANED_AT_ANNOTATION = 'navarch.io/orphaned-at';

/**
 * On a binding: clusters to which nothing of it is sent for now, as JSON, by the FleetSuspension that wants it. The policy's
 * own suspension stays what its owner made it.
 */
export const DISPATCH_STOPPED_ANNOTATION = 'navarch.io/dispatch-stopped';
