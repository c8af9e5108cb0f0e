internal import ServingPlanning

/// One measured point of an engine at work: so many requests at once, and the time per token.
public struct SiliconPoint: Sendable, Hashable {
    /// Name in the catalogue.
    public var model: String
    /// Name in the catalogue.
    public var gpu: String
    public var weights: String
    /// Tokens of each prompt and of each answer.
    public var prompt: Double
    public var output: Double
    /// Requests at once.
    public var batch: Double
    public var tensor: Int
    /// Measured, milliseconds.
    public var tpotMs: Double
}

/// Reads measured points of dense models on single engines: text with a header that names `model_path`,
/// `system`, `mode`, `gemm_quant_mode`, `isl`, `osl`, `batch_size`, `tp_size` and `silicon_tpot_ms`.
///
/// Points of other models, of GPUs that the catalogue does not know, of engines that split phases and of
/// unrecorded precision are left out; so is one checkpoint whose times are twice those of its equals.
public struct SiliconReader: Sendable {
    private static let columns = [
        "model_path", "system", "mode", "gemm_quant_mode", "isl", "osl", "batch_size", "tp_size",
        "silicon_tpot_ms",
    ]
    private static let models = [
        "llama-3.1-8b": "Llama-3.1-8B", "llama-3.1-70b": "Llama-3.1-70B", "qwen3-32b": "Qwen3-32B",
    ]
    private static let systems = [
        "h100_sxm": "H100-SXM", "h200_sxm": "H200-SXM", "b200_sxm": "B200-SXM", "a100_sxm": "A100-80-SXM",
        "a100_pcie": "A100-80-PCIe", "l40s": "L40S", "l4": "L4", "rtx_pro_6000_server": "RTX-PRO-6000-Server",
    ]
    private static let formats = ["fp8": "fp8", "fp8_block": "fp8", "nvfp4": "fp4", "float16": "fp16"]
    private static let outlier = "nvidia/llama-3.1-8b-instruct-fp8"

    public init() {}

    /// - Throws: `TraceError` for the first kept line that is not as described, and when none is kept.
    public func read(_ source: TraceSource) throws(TraceError) -> [SiliconPoint] {
        let text = TraceSource.bytes(try GzipText.bytes(of: source), name: source.name)
        var fields = RowFields(file: source.name)
        var points: [SiliconPoint] = []
        try text.forEachLine { (number, line) throws(TraceError) in
            guard try fields.split(line, number, columns: Self.columns) else { return }
            if let point = try Self.point(fields, line, number) { points.append(point) }
        }
        try fields.requireHeader(Self.columns)
        guard !points.isEmpty else {
            throw TraceError(.empty, file: source.name, expected: "at least one point of a dense model")
        }
        return points
    }

    private static func point(
        _ fields: borrowing RowFields, _ line: Span<UInt8>, _ number: Int
    ) throws(TraceError) -> SiliconPoint? {
        let path = fields.text(0, line).lowercased()
        guard fields.text(2, line) == "agg", path != outlier,
            let model = models.keys.sorted().first(where: { path.contains($0) }).flatMap({ models[$0] }),
            let gpu = systems[fields.text(1, line)], let format = formats[fields.text(3, line)]
        else { return nil }
        var values: [Double] = []
        for column in 4..<columns.count {
            let value = try fields.number(column, line, number, expected: "a number above 0")
            guard value > 0 else {
                throw TraceError(
                    .badValue, file: fields.file, line: number, column: columns[column],
                    value: fields.text(column, line), expected: "a number above 0")
            }
            values.append(Double(value) / Double(DecimalField.one))
        }
        return SiliconPoint(
            model: model, gpu: gpu, weights: format, prompt: values[0], output: values[1],
            batch: values[2], tensor: Int(values[3]), tpotMs: values[4])
    }
}
