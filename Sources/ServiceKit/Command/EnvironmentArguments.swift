/// Lets every option of a program come from the environment too: `--http-port` as HTTP_PORT.
///
/// The variables become arguments that stand before those of the command line, so that the latter win, and a malformed
/// value of either is refused by the same rule.
package struct EnvironmentArguments: Sendable {
    /// Options with a value, without their dashes.
    package let options: [String]
    /// Options without one; their variables are `true`, `1`, `false`, `0` or empty.
    package let flags: [String]

    package init(options: [String], flags: [String] = []) {
        self.options = options
        self.flags = flags
    }

    /// A variable that is neither true nor false.
    package struct Malformed: Error, Equatable, CustomStringConvertible {
        package let description: String
    }

    package static func variable(for option: String) -> String {
        option.uppercased().replacing("-", with: "_")
    }

    /// The arguments that `environment` stands for; an empty variable is no variable.
    package func arguments(from environment: [String: String]) throws(Malformed) -> [String] {
        var arguments: [String] = []
        for option in options {
            guard let value = environment[Self.variable(for: option)], !value.isEmpty else { continue }
            arguments.append("--\(option)=\(value)")
        }
        for flag in flags {
            let name = Self.variable(for: flag)
            switch environment[name]?.lowercased() {
            case nil, "", "0", "false", "no": continue
            case "1", "true", "yes": arguments.append("--\(flag)")
            case let value?: throw Malformed(description: "\(name)=\(value): must be true or false")
            }
        }
        return arguments
    }

    /// The options that only the environment sets, as `--http-port (HTTP_PORT)`: for error messages.
    package func origins(in environment: [String: String], besides arguments: [String]) -> [String] {
        (options + flags).filter { option in
            environment[Self.variable(for: option)]?.isEmpty == false
                && !arguments.contains { $0 == "--\(option)" || $0.hasPrefix("--\(option)=") }
        }
        .map { "--\($0) (\(Self.variable(for: $0)))" }
    }
}
