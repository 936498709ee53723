import KiadaService
import ServiceKit

@main
enum KiadaProgram {
    static func main() async { await ServiceMain.run(KiadaCommand.self) }
}
