// Publishes what the control plane runs with. Reads and writes: the ControlPlane object.
import { CONTROL_PLANE_NAME, type ControlPlane } from '../api/index.ts';
import { errorMessage } from '../base/index.ts';
import { isAlreadyExists, isConflict, resource } from '../client/index.ts';
import { timelineRows } from '../failover/index.ts';
import { deepEqual, settingText } from '../machinery/index.ts';
import type { Controller, ControllerContext } from './context.ts';

const controlPlanes = resource<ControlPlane>({
  group: 'navarch.io',
  version: 'v1alpha1',
  resource: 'controlplanes',
  namespaced: false,
});

// LIMIT: how often a write that met another process's is made anew.
const TRIES = 4;

export const settingsPublisher: Controller = {
  name: 'settingsPublisher',
  async run(context) {
    for (let tries = 1; ; tries++) {
      try {
        await publish(context);
        return;
      } catch (error) {
        if ((isConflict(error) || isAlreadyExists(error)) && tries < TRIES) continue;
        // Nothing depends on it but the precision of explanations.
        context.logger.warn('The settings cannot be published', { error: errorMessage(error) });
        return;
      }
    }
  },
};

async function publish({ hubClient, settings }: ControllerContext): Promise<void> {
  const { gates, enableTaintManager, enableNoExecuteTaintEviction } = settings;
  const published: NonNullable<ControlPlane['settings']> = {
    featureGates: gates,
    schedulerName: settings.schedulerName,
    enableEmptyWorkloadPropagation: settings.enableEmptyWorkloadPropagation,
    evictsByTaint: gates.Failover && enableTaintManager && enableNoExecuteTaintEviction,
    noExecuteTaintEvictionPurgeMode: settings.noExecuteTaintEvictionPurgeMode,
    timeline: Object.fromEntries(
      timelineRows.map((row) => [row.name, settingText(row, settings[row.setting])]),
    ),
    skippedPropagatingNamespaces: settings.skippedPropagatingNamespaces,
    skippedPropagatingApis: settings.skippedPropagatingApis,
  };
  const existing = await hubClient.find(controlPlanes, { name: CONTROL_PLANE_NAME });
  if (existing === undefined) {
    await hubClient.create(controlPlanes, {
      apiVersion: 'navarch.io/v1alpha1',
      kind: 'ControlPlane',
      metadata: { name: CONTROL_PLANE_NAME },
      settings: published,
    });
  } else if (!deepEqual(existing.settings, published)) {
    await hubClient.update(controlPlanes, { ...existing, settings: published });
  }
}
