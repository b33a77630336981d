// Annotations of ours on objects of other groups.

/** On a Work that is on its way out: its objects are wanted in the cluster again, and stay for the next Work. */
export const LEAVE_OBJECTS_ANNOTATION = 'navarch.io/leave-objects';
