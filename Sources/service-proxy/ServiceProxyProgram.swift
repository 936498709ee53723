import ArgumentParser
import ServiceProxyCommands

@main
enum ServiceProxyProgram {
    static func main() async { await ServiceProxyCommand.main() }
}
