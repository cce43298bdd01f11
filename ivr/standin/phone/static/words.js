// The words of the phone, Chinese first. A key missing in one language is a fault the tests find.

export const WORDS = {
  zh: {
    "title": "模拟电话", "sound_on": "朗读", "sound_off": "静音", "who": "以谁的身份拨打", "search": "查找姓名、号码或等级",
    "other": "其他号码", "nobody": "没有符合的客户，可在上方输入号码。", "line": "拨打哪条线", "dial": "拨打", "hang_up": "挂断",
    "start": "选一位客户，按 Enter 拨打热线。您会听到并读到每一句提示，用键盘按键即可。",
    "transcript": "通话内容", "keypad": "拨号键盘", "speak": "开口说话", "speak_hint": "输入要说的话（T）", "speak_how": "末尾加问号表示没说清。", "say": "说",
    "stage.idle": "未在通话", "stage.ringing": "正在呼叫", "stage.menu": "语音导航", "stage.queued": "排队等候", "stage.message": "请留言",
    "stage.connected": "通话中", "stage.held": "保持中", "stage.ended": "通话结束",
    "note.wants_keys": "请按键", "note.wants_speech": "请说话", "note.wants_both": "请按键或说话", "note.as": "身份：{who}",
    "event.ringing": "正在呼叫 {to}", "event.answered": "已接听", "event.queued": "开始排队", "event.dequeued": "离开队列",
    "event.bridged": "座席已接通", "event.unbridged": "通话结束", "event.held": "对方按了保持", "event.unheld": "恢复通话",
    "event.muted": "您被静音", "event.played": "正在播放录音或音乐", "event.beep": "哔——开始录音", "event.paused": "（停顿）",
    "ended.completed": "通话结束", "ended.busy": "对方忙", "ended.failed": "未能接通", "ended.no-answer": "无人接听", "ended.canceled": "已取消",
    "fault.number": "请输入完整的号码，例如 +86 138 0013 8000。", "fault.dial": "没有拨出：{why}", "fault.lost": "与模拟电话局的连接中断，正在重新连接…",
    "fault.gone": "这通电话已不在了。", "again": "再次拨打", "back": "返回", "language": "English"
  },
  en: {
    "title": "Simulated phone", "sound_on": "Voice on", "sound_off": "Muted", "who": "Call as", "search": "Find a name, number or tier",
    "other": "Another number", "nobody": "No such customer; type a number above.", "line": "Line to call", "dial": "Call", "hang_up": "Hang up",
    "start": "Choose a customer and press Enter to call the hotline. You hear and read every prompt, and your keyboard is the keypad.",
    "transcript": "What was said", "keypad": "Keypad", "speak": "Speak", "speak_hint": "Type to speak (T)", "speak_how": "End with ? to mumble.", "say": "Say",
    "stage.idle": "No call", "stage.ringing": "Calling", "stage.menu": "Menu", "stage.queued": "Waiting in the queue", "stage.message": "Leave a message",
    "stage.connected": "Connected", "stage.held": "On hold", "stage.ended": "Call ended",
    "note.wants_keys": "press a key", "note.wants_speech": "speak", "note.wants_both": "press a key or speak", "note.as": "as {who}",
    "event.ringing": "Calling {to}", "event.answered": "Answered", "event.queued": "Joined the queue", "event.dequeued": "Left the queue",
    "event.bridged": "An agent is on the line", "event.unbridged": "The conversation is over", "event.held": "Put on hold", "event.unheld": "Back from hold",
    "event.muted": "You are muted", "event.played": "A recording or music plays", "event.beep": "Beep: recording", "event.paused": "(a pause)",
    "ended.completed": "Call ended", "ended.busy": "Busy", "ended.failed": "Could not connect", "ended.no-answer": "No answer", "ended.canceled": "Cancelled",
    "fault.number": "Type a whole number, for example +86 138 0013 8000.", "fault.dial": "Not dialled: {why}", "fault.lost": "The exchange cannot be reached; trying again…",
    "fault.gone": "That call is gone.", "again": "Call again", "back": "Back", "language": "中文"
  },
};

export function createWords(language) {
  const words = { language: language in WORDS ? language : "zh" };
  words.t = (key, values = {}) => (WORDS[words.language][key] ?? key).replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
  words.has = (key) => key in WORDS[words.language];
  words.locale = () => (words.language === "zh" ? "zh-CN" : "en");
  words.apply = (root) => {
    document.documentElement.lang = words.locale();
    for (const one of root.querySelectorAll("[data-t]")) one.textContent = words.t(one.dataset.t, one.dataset);
    for (const one of root.querySelectorAll("[data-t-placeholder]")) one.placeholder = words.t(one.dataset.tPlaceholder);
    for (const one of root.querySelectorAll("[data-t-label]")) one.setAttribute("aria-label", words.t(one.dataset.tLabel));
    for (const one of root.querySelectorAll("[data-zh]")) one.textContent = one.dataset[words.language] || one.dataset.zh;
  };
  return words;
}
