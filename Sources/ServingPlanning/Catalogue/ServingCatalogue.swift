internal import Foundation

/// The GPU types and models that are known from the start.
public struct ServingCatalogue: Sendable {
    public var gpus: [GPUType]
    public var models: [ModelShape]

    public init(gpus: [GPUType], models: [ModelShape]) {
        self.gpus = gpus
        self.models = models
    }

    /// What comes with the product, read anew at each call.
    ///
    /// - Throws: `ServingError` of code `catalogue`, when the product was built with damaged files.
    public static func seed() throws(ServingError) -> ServingCatalogue {
        do {
            let decoder = JSONDecoder()
            return ServingCatalogue(
                gpus: try decoder.decode([GPUType].self, from: Data(PackageResources.gpus_json)),
                models: try decoder.decode([ModelShape].self, from: Data(PackageResources.models_json)))
        } catch {
            throw ServingError(.catalogue, ServingError.words(error))
        }
    }

    /// - Throws: `ServingError` of code `gpu`.
    public func gpu(_ name: String) throws(ServingError) -> GPUType {
        guard let found = gpus.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw ServingError(.gpu, "no GPU type \"\(name)\"", choices: gpus.map(\.name), value: name)
        }
        return found
    }

    /// - Throws: `ServingError` of code `model`.
    public func model(_ name: String) throws(ServingError) -> ModelShape {
        guard let found = models.first(where: { $0.name.lowercased() == name.lowercased() }) else {
            throw ServingError(.model, "no model \"\(name)\"", choices: models.map(\.name), value: name)
        }
        return found
    }
}
