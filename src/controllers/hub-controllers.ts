// All controllers of the hub, in the order of a template's life.
import { applicationFailoverController } from './application-failover.ts';
import { bindingStatusController } from './binding-status.ts';
import { bindingController } from './binding.ts';
import { clusterMonitor } from './cluster-monitor.ts';
import { clusterStatusController } from './cluster-status/index.ts';
import { clusterTaintPolicyController } from './cluster-taint-policy.ts';
import { clusterController } from './cluster.ts';
import type { Controller, ControllerContext } from './context.ts';
import { dependenciesDistributor } from './dependencies.ts';
import { deploymentReplicasSyncer } from './deployment-replicas-syncer.ts';
import { descheduler } from './descheduler.ts';
import { detector } from './detector/index.ts';
import { executionController } from './execution/index.ts';
import { evictionBrake } from './eviction-brake.ts';
import { failoverHistoryController } from './failover-history.ts';
import { fencingController } from './fencing.ts';
import { fleetPackageController } from './fleet-packages.ts';
import { fleetMetrics } from './fleet-metrics.ts';
import { fleetSuspensionController } from './fleet-suspension.ts';
import { gracefulEvictionController } from './graceful-eviction.ts';
import {
  quotaEnforcementController,
  quotaStatusController,
  quotaSyncController,
} from './federated-resource-quota/index.ts';
import { hpaScaleTargetMarker } from './hpa-scale-target-marker.ts';
import { namespaceController } from './namespace.ts';
import { packageSuspensionController } from './package-suspension.ts';
import { rebalancerController } from './rebalancer.ts';
import { remedyController } from './remedy.ts';
import { returningCopiesController } from './returning-copies.ts';
import { scheduler } from './scheduler/index.ts';
import { controllerEnabled } from './settings.ts';
import { settingsPublisher } from './published-settings.ts';
import { suspensionController } from './suspension.ts';
import { taintManager } from './taint-manager.ts';
import { undoWindowController } from './undo-window.ts';
import { unifiedAuthController } from './unified-auth.ts';
import { workStatusController } from './work-status.ts';
import { workloadStateController } from './workload-state.ts';

export const hubControllers: readonly Controller[] = [
  settingsPublisher,
  clusterController,
  clusterStatusController,
  clusterMonitor,
  clusterTaintPolicyController,
  remedyController,
  unifiedAuthController,
  namespaceController,
  detector,
  scheduler,
  dependenciesDistributor,
  bindingController,
  fencingController,
  workloadStateController,
  executionController,
  workStatusController,
  bindingStatusController,
  applicationFailoverController,
  evictionBrake,
  fleetMetrics,
  taintManager,
  gracefulEvictionController,
  returningCopiesController,
  failoverHistoryController,
  rebalancerController,
  descheduler,
  quotaSyncController,
  quotaStatusController,
  quotaEnforcementController,
  hpaScaleTargetMarker,
  deploymentReplicasSyncer,
  undoWindowController,
  suspensionController,
  fleetSuspensionController,
  packageSuspensionController,
  fleetPackageController,
];

/** Runs those of `controllers` that are switched on until the context's signal aborts. */
export async function runControllers(
  context: ControllerContext,
  controllers: readonly Controller[],
): Promise<void> {
  const { settings } = context;
  await Promise.all(
    controllers
      .filter(({ name }) => controllerEnabled(name, settings.controllers))
      .map((controller) => controller.run(context)),
  );
}
