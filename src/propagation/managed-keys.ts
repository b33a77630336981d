// The lists of label and annotation keys that we wrote on a member object (propagation.md §3.5): what is on neither
// list belongs to the member and stays.
import {
  MANAGED_ANNOTATIONS_ANNOTATION,
  MANAGED_LABELS_ANNOTATION,
  WORK_ID_LABEL,
  type KubeObject,
} from '../api/index.ts';

type Keys = Readonly<Record<string, string>> | undefined;

function sortedKeys(map: Keys, ...more: readonly string[]): string {
  return [...new Set([...Object.keys(map ?? {}), ...more])].sort().join(',');
}

/**
 * The manifest with its Work's id and both lists, which say what is on it then; the same object when all is there.
 * @param workId empty while the Work has none yet
 */
export function withManagedKeys(manifest: KubeObject, workId: string): KubeObject {
  const { labels: oldLabels, annotations: oldAnnotations } = manifest.metadata;
  const labels = workId === '' ? oldLabels : { ...oldLabels, [WORK_ID_LABEL]: workId };
  const annotationKeys = sortedKeys(
    oldAnnotations,
    MANAGED_ANNOTATIONS_ANNOTATION,
    MANAGED_LABELS_ANNOTATION,
  );
  const labelKeys = sortedKeys(labels);
  if (
    oldAnnotations?.[MANAGED_ANNOTATIONS_ANNOTATION] === annotationKeys &&
    oldAnnotations[MANAGED_LABELS_ANNOTATION] === labelKeys &&
    (workId === '' || oldLabels?.[WORK_ID_LABEL] === workId)
  ) {
    return manifest;
  }
  return {
    ...manifest,
    metadata: {
      ...manifest.metadata,
      ...(labels === undefined ? {} : { labels }),
      annotations: {
        ...oldAnnotations,
        [MANAGED_ANNOTATIONS_ANNOTATION]: annotationKeys,
        [MANAGED_LABELS_ANNOTATION]: labelKeys,
      },
    },
  };
}
