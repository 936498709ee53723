import QuizService
import ServiceKit

@main
enum QuizProgram {
    static func main() async { await ServiceMain.run(QuizCommand.self) }
}
