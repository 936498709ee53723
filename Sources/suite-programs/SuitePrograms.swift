import ArgumentParser
import Glibc
import KiadaService
import QuizService
import QuoteService
import ServiceKit
import ServiceProxyCommands

/// All programs of a container image in one file, as its name or its first argument says: a quarter of the size.
@main
enum SuitePrograms {
    static func main() async {
        let name = CommandLine.arguments.first?.split(separator: "/").last.map(String.init) ?? ""
        switch name {
        case "kiada": await ServiceMain.run(KiadaCommand.self)
        case "quote": await ServiceMain.run(QuoteCommand.self)
        case "quiz": await ServiceMain.run(QuizCommand.self)
        case "service-proxy": await ServiceProxyCommand.main()
        default:
            StandardStream.error.write("\(name): call this file kiada, quote, quiz or service-proxy (by a link)\n")
            exit(64)
        }
    }
}
