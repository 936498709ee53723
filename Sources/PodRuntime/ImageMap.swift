package import ClusterModel

/// Which local program stands for which image: what a registry is to a cluster (docs/image-map.md).
package struct ImageMap: Sendable, Equatable {
    /// One program that stands for an image.
    package struct Program: Sendable, Equatable {
        /// An absolute path, or a name that is looked for beside `kiada-suite`, then on PATH.
        package var program: String
        /// Arguments when the container has neither `command` nor `args`, like an image's CMD.
        package var arguments: [String]
        /// Variables that every container of the image gets, like an image's ENV.
        ///
        /// `$(POD_IP)`, `$(POD_NAME)`, `$(NODE_IP)`, `$(NODE_NAME)`, `$(POD_DIR)`, `$(STATE_DIR)` and `$(RESOLV_CONF)` are
        /// replaced.
        package var environment: [(name: String, value: String)]
        /// Whether a container's `command` and `args` are left out: they are for a program that this machine does not have.
        package var replacesCommand = false

        package init(program: String, arguments: [String] = [], environment: [(name: String, value: String)] = []) {
            self.program = program
            self.arguments = arguments
            self.environment = environment
        }

        package static func == (left: Program, right: Program) -> Bool {
            left.program == right.program && left.arguments == right.arguments
                && left.replacesCommand == right.replacesCommand
                && left.environment.elementsEqual(right.environment) { $0 == $1 }
        }
    }

    private var programs: [String: Program]

    package init(_ programs: [String: Program]) { self.programs = programs }

    /// Reads the document `{images: {NAME: {program, args, env, replacesCommand}}}`.
    ///
    /// - Throws: ``ImageMapError`` that names the entry and what is wrong with it.
    package init(_ document: JSONValue) throws(ImageMapError) {
        programs = [:]
        guard let images = document["images"]?.objectValue else {
            throw ImageMapError(description: "the image map needs a mapping `images`")
        }
        for (name, entry) in images {
            guard let program = entry["program"]?.stringValue, !program.isEmpty else {
                throw ImageMapError(description: "images.\(name).program: Required value: a path or a program's name")
            }
            let known = ["program", "args", "env", "replacesCommand"]
            for key in entry.objectValue?.keys.sorted() ?? [] where !known.contains(key) {
                throw ImageMapError(
                    description: "images.\(name).\(key): unknown field; known are \(known.joined(separator: ", "))")
            }
            if let flag = entry["replacesCommand"], flag.boolValue == nil {
                throw ImageMapError(description: "images.\(name).replacesCommand: must be true or false")
            }
            let variables = entry["env"]?.objectValue ?? [:]
            var environment: [(name: String, value: String)] = []
            for (key, value) in variables.sorted(by: { $0.key < $1.key }) {
                guard let text = value.stringValue else {
                    throw ImageMapError(description: "images.\(name).env.\(key): must be a string (put it in quotes)")
                }
                environment.append((key, text))
            }
            let arguments = (entry["args"]?.arrayValue ?? []).compactMap(\.stringValue)
            var found = Program(program: program, arguments: arguments, environment: environment)
            found.replacesCommand = entry["replacesCommand"]?.boolValue ?? false
            programs[name] = found
        }
    }

    /// The program for `image`: the entry with the same tag, else the one without a tag or digest.
    package subscript(image: String) -> Program? {
        if let exact = programs[image] { return exact }
        var name = image[...]
        if let at = name.firstIndex(of: "@") { name = name[..<at] }
        if let colon = name.lastIndex(of: ":"), !name[colon...].contains("/") { name = name[..<colon] }
        return programs[String(name)]
    }

    /// The names that have a program, sorted: for error messages.
    package var names: [String] { programs.keys.sorted() }
}

/// What is wrong with an image map.
package struct ImageMapError: Error, Equatable, CustomStringConvertible {
    package let description: String
}
