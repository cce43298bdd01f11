// What the caller hears: prompts by the browser's speech synthesis, keys and beeps by small tones.

const TONES = {
  1: [697, 1209], 2: [697, 1336], 3: [697, 1477], 4: [770, 1209], 5: [770, 1336], 6: [770, 1477],
  7: [852, 1209], 8: [852, 1336], 9: [852, 1477], "*": [941, 1209], 0: [941, 1336], "#": [941, 1477],
};
const WAITING_MAX = 2;

export function createVoice(speed) {
  const speech = window.speechSynthesis;
  let isOn = true;
  let waiting = 0;
  let audio = null;
  let recording = null;

  // A clock that runs faster than life leaves no time for whole sentences: speak faster, and skip what is late.
  const rate = Math.min(2, Math.max(1, speed));

  function silence() {
    waiting = 0;
    speech?.cancel();
    recording?.pause();
  }

  // A recorded prompt or the hold music: what Play plays, from where the provider fetches it.
  function play(address) {
    recording?.pause();
    if (!isOn || !/^https?:/.test(address)) return;
    recording = new Audio(address);
    recording.playbackRate = rate;
    recording.volume = 0.6;
    recording.play().catch(() => {});
  }

  function voiceFor(language) {
    const wanted = language.toLowerCase();
    const voices = speech.getVoices();
    const exact = voices.filter((voice) => voice.lang.replace("_", "-").toLowerCase() === wanted);
    return exact[0] || voices.find((voice) => voice.lang.slice(0, 2).toLowerCase() === wanted.slice(0, 2)) || null;
  }

  function say(text, language) {
    if (!isOn || !speech) return;
    if (waiting >= WAITING_MAX) silence();
    const utterance = new SpeechSynthesisUtterance(text);
    utterance.lang = /^(cmn|zh)/i.test(language) ? "zh-CN" : language || "en-US";
    utterance.voice = voiceFor(utterance.lang);
    utterance.rate = rate;
    const done = () => (waiting = Math.max(0, waiting - 1));
    utterance.addEventListener("end", done);
    utterance.addEventListener("error", done);
    waiting += 1;
    speech.speak(utterance);
  }

  function tone(frequencies, forS, volume = 0.05) {
    if (!isOn) return;
    audio ??= new AudioContext();
    const gain = audio.createGain();
    const until = audio.currentTime + forS;
    gain.gain.setValueAtTime(volume, audio.currentTime);
    gain.gain.setTargetAtTime(0, until - 0.02, 0.01);
    gain.connect(audio.destination);
    for (const frequency of frequencies) {
      const oscillator = audio.createOscillator();
      oscillator.frequency.value = frequency;
      oscillator.connect(gain);
      oscillator.start();
      oscillator.stop(until + 0.05);
    }
  }

  return {
    say,
    play,
    silence,
    key: (key) => TONES[key] && tone(TONES[key], 0.14),
    beep: () => tone([1000], 0.5),
    ring: () => tone([450], 0.9, 0.03),
    turn(on) {
      isOn = on;
      if (!on) silence();
    },
  };
}
