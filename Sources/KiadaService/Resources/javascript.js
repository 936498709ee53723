"use strict";

// Without this script the page works by links and a form; with it, nothing is loaded twice.

const element = (id) => document.getElementById(id);
const form = element("answers");
const seen = { kiada: new Map(), quote: new Map(), quiz: new Map() };

function make(tag, className, text) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
}

// A chip for each pod, with the number of its answers; the latest one is marked.
function count(service, pod) {
    if (!pod) return;
    const pods = seen[service];
    pods.set(pod, (pods.get(pod) || 0) + 1);
    const chips = [...pods.keys()].sort().map((name) => {
        const chip = make("span", name === pod ? "pod latest" : "pod", name + " ");
        chip.append(make("span", "times", "×" + pods.get(name)));
        return chip;
    });
    element("pods-" + service).replaceChildren(...chips);
}

function showOrigin(service, pod) {
    const origin = element(service + "-from");
    origin.replaceChildren();
    if (pod) origin.append("from pod ", make("b", "", pod));
}

// The JSON at `path` with the pod that gave it; an error that a person can read otherwise.
async function ask(service, path, options) {
    const response = await fetch(path, { cache: "no-store", ...options }).catch(() => {
        throw new Error("kiada cannot be reached");
    });
    count("kiada", response.headers.get("X-Pod-Name"));
    const value = await response.json().catch(() => {
        throw new Error("invalid response");
    });
    if (!response.ok) throw new Error((value && value.error) || "status " + response.status);
    const pod = response.headers.get("X-Upstream-Pod-Name");
    count(service, pod);
    return { value, pod };
}

// Runs `work` unless it runs already.
function exclusively(control, work) {
    control.addEventListener("click", async (event) => {
        event.preventDefault();
        if (control.getAttribute("aria-disabled") === "true") return;
        control.setAttribute("aria-disabled", "true");
        try {
            await work();
        } finally {
            control.removeAttribute("aria-disabled");
        }
    });
    control.setAttribute("role", "button");
    control.addEventListener("keydown", (event) => {
        if (event.key !== " ") return;
        event.preventDefault();
        control.click();
    });
}

exclusively(element("refresh"), async () => {
    const quote = element("quote");
    try {
        const { value, pod } = await ask("quote", "/proxy/quote");
        quote.textContent = value;
        quote.classList.remove("failed");
        showOrigin("quote", pod);
    } catch (error) {
        quote.textContent = "ERROR: " + error.message;
        quote.classList.add("failed");
        showOrigin("quote");
    }
});

function showResult(text, className) {
    const result = element("result");
    result.className = className || "";
    result.textContent = text;
}

function answerButton(text, index) {
    const button = make("button", "answer");
    const number = make("span", "index", String(index));
    number.setAttribute("aria-hidden", "true");
    button.append(number, make("span", "text", text), make("span", "mark", ""));
    return button;
}

exclusively(element("next"), async () => {
    const question = element("question");
    showResult("");
    try {
        const { value, pod } = await ask("quiz", "/proxy/quiz/questions/random");
        question.textContent = value.text;
        question.classList.remove("failed");
        form.dataset.question = value.id;
        form.replaceChildren(...value.answers.map(answerButton));
        showOrigin("quiz", pod);
    } catch (error) {
        question.textContent = "ERROR: " + error.message;
        question.classList.add("failed");
        delete form.dataset.question;
        form.replaceChildren();
        showOrigin("quiz");
    }
    question.focus();
});

function mark(button, className, text) {
    if (!button) return;
    button.classList.add(className);
    button.querySelector(".mark").textContent = text;
}

form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const buttons = [...form.querySelectorAll(".answer")];
    const answerIndex = buttons.indexOf(event.submitter);
    const id = form.dataset.question;
    if (answerIndex < 0 || id === undefined || form.dataset.state) return;
    form.dataset.state = "waiting";
    // Not `disabled`: a button that is loses the focus, and with it people who use the keyboard.
    for (const button of buttons) button.setAttribute("aria-disabled", "true");
    const questionId = /^(0|[1-9][0-9]{0,14})$/.test(id) ? Number(id) : id;
    const path = "/proxy/quiz/questions/" + encodeURIComponent(id) + "/answers";
    try {
        const { value } = await ask("quiz", path, {
            method: "POST",
            headers: { "Content-Type": "application/json" },
            body: JSON.stringify({ questionId, answerIndex }),
        });
        mark(buttons[value.correctAnswerIndex], "right", "✓ right");
        if (value.correct) {
            showResult("Right!", "right");
        } else {
            mark(buttons[answerIndex], "wrong", "✗ your answer");
            const right = buttons[value.correctAnswerIndex];
            const text = right ? right.querySelector(".text").textContent : value.correctAnswerIndex;
            showResult("Wrong. The right answer is: " + text, "wrong");
        }
    } catch (error) {
        showResult("ERROR: " + error.message, "wrong");
        for (const button of buttons) button.removeAttribute("aria-disabled");
    }
    delete form.dataset.state;
});

// An answered question keeps its buttons marked and takes no second answer.
form.addEventListener("click", (event) => {
    const button = event.target.closest(".answer");
    if (button && button.getAttribute("aria-disabled") === "true") event.preventDefault();
});

for (const service of Object.keys(seen)) {
    const chip = element("pods-" + service).querySelector(".pod");
    if (chip) count(service, chip.textContent);
}
