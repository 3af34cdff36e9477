// A voice note for the finish sheet. The sound stays on the phone until the sheet is sent. Words are made of it only where
// the browser does so on the device itself: ordinary browser dictation sends the voice to somebody else's server.

const LONGEST = 60; // seconds, as for the ward's notes

/** A recogniser that works on this device, or null. Never one that would use a server, never a download. */
export async function localEars(language, scope = window) {
  const Ears = scope.SpeechRecognition ?? scope.webkitSpeechRecognition;
  if (typeof Ears?.available !== "function") return null; // an older browser: its recogniser is a server's
  const state = await Ears.available({ langs: [language], processLocally: true }).catch(() => "unavailable");
  if (state !== "available") return null;
  const ears = new Ears();
  if (!("processLocally" in ears)) return null;
  ears.processLocally = true;
  ears.lang = language;
  ears.continuous = true;
  return ears;
}

/** Wire the recorder in `box`. `heard(text)` gets what the device understood, after the recording has ended. */
export async function offerVoice(box, { heard }) {
  if (!navigator.mediaDevices?.getUserMedia || !window.MediaRecorder) return; // the file box stays
  const button = box.querySelector("[data-record]");
  const label = button.querySelector("[data-label]");
  const kept = box.querySelector("[data-kept]");
  const place = box.querySelector("[data-ears]");
  const input = place.querySelector("[data-voice-file] input");
  const ears = await localEars(box.dataset.lang);
  let recorder = null;

  const rest = (words) => (label.textContent = words);
  const idle = ears ? button.dataset.hear : button.dataset.idle;
  const keep = (sound) => {
    const given = new DataTransfer();
    if (sound) given.items.add(sound);
    input.files = given.files;
    kept.hidden = !sound;
    rest(sound ? button.dataset.again : idle);
  };

  const start = async () => {
    const stream = await navigator.mediaDevices.getUserMedia({ audio: true }).catch(() => null);
    if (!stream) {
      place.classList.remove("hears"); // no microphone or not allowed: a file may still be chosen
      return;
    }
    const pieces = [];
    const words = [];
    let seconds = 0;
    recorder = new MediaRecorder(stream);
    const tick = setInterval(() => {
      rest(button.dataset.stop.replace("{n}", ++seconds));
      if (seconds >= LONGEST) recorder?.stop();
    }, 1000);
    rest(button.dataset.stop.replace("{n}", 0));
    recorder.ondataavailable = (event) => pieces.push(event.data);
    recorder.onstop = () => {
      clearInterval(tick);
      stream.getTracks().forEach((track) => track.stop());
      const kind = recorder.mimeType || "audio/webm";
      recorder = null;
      keep(new File(pieces, kind.includes("mp4") ? "voice.m4a" : "voice.webm", { type: kind }));
      ears?.stop();
    };
    if (ears) {
      ears.onresult = (event) => {
        for (let n = event.resultIndex; n < event.results.length; n += 1) {
          if (event.results[n].isFinal) words.push(event.results[n][0].transcript.trim());
        }
      };
      ears.onend = () => words.length && heard(words.join(box.dataset.lang.startsWith("zh") ? "，" : ". "));
      ears.start();
    }
    recorder.start();
  };

  // The page's policy lets no player open a blob, and need not: the sound is decoded and played as it is.
  const play = async () => {
    const context = new AudioContext();
    const source = context.createBufferSource();
    source.buffer = await context.decodeAudioData(await input.files[0].arrayBuffer());
    source.connect(context.destination);
    source.onended = () => context.close();
    source.start();
  };

  box.querySelector("[data-play]").addEventListener("click", play);
  button.addEventListener("click", () => (recorder ? recorder.stop() : start()));
  box.querySelector("[data-drop]").addEventListener("click", () => {
    keep(null);
    button.focus();
  });
  place.classList.add("hears");
  rest(idle);
}
