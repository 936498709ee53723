import ArgumentParser
package import NetTypes

/// Where the ports of LoadBalancer Services are published for this machine: the localhost rule.
package struct PublishOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "Where LoadBalancer ports are published too: port P at P, or at 8000+P below 1024; \"none\" for nowhere.",
            valueName: "address"))
    package var publishAddress = "127.0.0.1"

    package init() {}

    package mutating func validate() throws {
        guard publishAddress == "none" || IPAddress(publishAddress) != nil else {
            throw ValidationError(
                "--publish-address \(publishAddress): must be an IP address of this machine, or none")
        }
    }

    /// nil for nowhere.
    package var address: IPAddress? { IPAddress(publishAddress) }
}
