/// The constants of the cost model that are not dimensions of a model or a GPU.
///
/// None is fitted to single rows or groups of measurements: they are shares of peaks that operator tables
/// show, and two overheads.
public struct CostSettings: Sendable, Hashable, Codable {
    /// Of one GPU type, where it differs from the catalogue.
    public struct Calibration: Sendable, Hashable, Codable {
        public var prefillMFU: Double
        public var weightMBU: Double

        public init(prefillMFU: Double, weightMBU: Double) {
            self.prefillMFU = prefillMFU
            self.weightMBU = weightMBU
        }
    }

    /// Share of the peak that attention over a prompt reaches; tables show .44 to .56.
    public var attentionMFU = 0.45
    /// Share of the bandwidth at which keys and values are read; tables show .47 to .82.
    public var kvReadMBU = 0.70
    /// The same of the output head.
    public var headMBU = 0.80
    /// Launches of one layer, seconds.
    public var layerSeconds = 12e-6
    /// Scheduling and sampling around one step of a stage, seconds.
    public var stepSeconds = 1.2e-3
    /// What a request spends before and after its prompt, seconds; no capacity goes with it.
    public var requestSeconds = 0.03
    /// Packing and unpacking of keys and values in fewer bits, seconds per request.
    public var quantisationSeconds = 0.004
    /// Share of the memory that the engine takes.
    public var memoryUse = 0.9
    /// Of it, what neither weights nor cache get: activations, graphs, buffers; bytes per GPU.
    public var reservedBytes = 1.5e9
    /// Whether embedding and head count, in memory and in time.
    public var countsHead = true
    /// For all types; nil is each type's own.
    public var uniform: Calibration?
    /// By type; before `uniform`.
    public var calibrations: [String: Calibration] = [:]

    public init() {}

    /// What engines of data centres were measured at: one calibration for all of their GPUs.
    public static let measured = {
        var settings = CostSettings()
        settings.uniform = Calibration(prefillMFU: 0.70, weightMBU: 0.80)
        return settings
    }()

    func calibration(_ gpu: GPUType) -> Calibration {
        calibrations[gpu.name] ?? uniform
            ?? Calibration(prefillMFU: gpu.prefillMFU, weightMBU: gpu.decodeMBU)
    }

    func validate() throws(ServingError) {
        let shares =
            [attentionMFU, kvReadMBU, headMBU, memoryUse]
            + ([uniform].compactMap { $0 } + calibrations.values).flatMap { [$0.prefillMFU, $0.weightMBU] }
        guard shares.allSatisfy({ $0 > 0 && $0 <= 1 }) else {
            throw ServingError(.settings, "calibration: shares above 0 and up to 1 expected")
        }
        let amounts = [layerSeconds, stepSeconds, requestSeconds, quantisationSeconds, reservedBytes]
        guard amounts.allSatisfy({ $0 >= 0 && $0.isFinite }) else {
            throw ServingError(.settings, "calibration: overheads from 0 on expected")
        }
    }
}

extension GPUType {
    /// Between GPUs of one machine, as measured where nothing else is known: of NVLink six tenths of what is
    /// printed, of PCIe 4 22 GB/s. Machines differ much, so give `intra` where it was measured.
    public var usualIntra: Link {
        hasNVLink
            ? Link(latency: 12e-6, bandwidth: 0.6 * linkGBps * 1e9)
            : Link(latency: 20e-6, bandwidth: 22e9 * pcieGBps / 32)
    }
}
