// What the prompt says, in the languages it knows; the keys are those of `Labels` in index.d.ts.

const KEYS = [
  'region', 'title', 'requiredTitle', 'retryTitle', 'text', 'requiredText', 'retryText', 'reload', 'reloadAnyway', 'later',
  'waiting', 'reloading', 'offline', 'unreachable', 'stateNotSaved', 'reloadIgnored', 'countdown',
];

/** One list a language, in the order of KEYS. `{reasons}` and `{seconds}` are replaced. */
const LANGUAGES = {
  en: [
    'App update', 'A new version is ready', 'This page needs to reload', 'The new version did not load',
    'Reload when it suits you.', 'The app was updated, and a part of it is missing here.', 'This tab was reloaded and still runs the old version.',
    'Reload', 'Reload anyway', 'Later', 'Waiting for: {reasons}', 'Reloading…',
    'You are offline. Try again when you are connected.', 'The server does not answer. Try again in a moment.',
    'Your work could not be saved. Reloading now may lose it.', 'The browser did not reload the page.', 'Reloads in {seconds} s',
  ],
  de: [
    'App-Aktualisierung', 'Eine neue Version ist da', 'Diese Seite muss neu laden', 'Die neue Version wurde nicht geladen',
    'Laden Sie neu, wann es Ihnen passt.', 'Die App wurde aktualisiert, hier fehlt ein Teil davon.', 'Dieser Tab wurde neu geladen und zeigt noch die alte Version.',
    'Neu laden', 'Trotzdem neu laden', 'Später', 'Wartet auf: {reasons}', 'Wird neu geladen…',
    'Sie sind offline. Versuchen Sie es mit Verbindung erneut.', 'Der Server antwortet nicht. Versuchen Sie es gleich noch einmal.',
    'Ihre Arbeit konnte nicht gesichert werden und kann beim Neuladen verloren gehen.', 'Der Browser hat die Seite nicht neu geladen.', 'Lädt in {seconds} s neu',
  ],
  fr: [
    'Mise à jour', 'Une nouvelle version est prête', 'Cette page doit être rechargée', 'La nouvelle version ne s’est pas chargée',
    'Rechargez quand cela vous convient.', 'L’application a été mise à jour et un élément manque ici.', 'Cet onglet a été rechargé et utilise encore l’ancienne version.',
    'Recharger', 'Recharger quand même', 'Plus tard', 'En attente de : {reasons}', 'Rechargement…',
    'Vous êtes hors ligne. Réessayez une fois connecté.', 'Le serveur ne répond pas. Réessayez dans un instant.',
    'Votre travail n’a pas pu être enregistré. Recharger maintenant peut le perdre.', 'Le navigateur n’a pas rechargé la page.', 'Rechargement dans {seconds} s',
  ],
  es: [
    'Actualización', 'Hay una versión nueva', 'Hay que recargar esta página', 'La versión nueva no se ha cargado',
    'Recarga cuando te venga bien.', 'La aplicación se ha actualizado y aquí falta una parte.', 'Esta pestaña se ha recargado y sigue con la versión anterior.',
    'Recargar', 'Recargar igualmente', 'Más tarde', 'Esperando: {reasons}', 'Recargando…',
    'No tienes conexión. Inténtalo cuando vuelvas a tenerla.', 'El servidor no responde. Inténtalo en un momento.',
    'No se ha podido guardar tu trabajo. Si recargas ahora, puede perderse.', 'El navegador no ha recargado la página.', 'Se recarga en {seconds} s',
  ],
  pt: [
    'Atualização', 'Há uma nova versão', 'É preciso recarregar esta página', 'A nova versão não carregou',
    'Recarregue quando for conveniente.', 'O aplicativo foi atualizado e falta uma parte dele aqui.', 'Esta aba foi recarregada e ainda usa a versão antiga.',
    'Recarregar', 'Recarregar mesmo assim', 'Mais tarde', 'Aguardando: {reasons}', 'Recarregando…',
    'Sem conexão. Tente de novo quando estiver conectado.', 'O servidor não responde. Tente de novo em instantes.',
    'Não foi possível salvar seu trabalho. Recarregar agora pode perdê-lo.', 'O navegador não recarregou a página.', 'Recarrega em {seconds} s',
  ],
  it: [
    'Aggiornamento', 'È pronta una nuova versione', 'Questa pagina va ricaricata', 'La nuova versione non si è caricata',
    'Ricarica quando ti è comodo.', 'L’app è stata aggiornata e qui ne manca una parte.', 'Questa scheda è stata ricaricata ma usa ancora la versione precedente.',
    'Ricarica', 'Ricarica comunque', 'Più tardi', 'In attesa di: {reasons}', 'Ricaricamento…',
    'Sei offline. Riprova quando sei connesso.', 'Il server non risponde. Riprova tra un momento.',
    'Non è stato possibile salvare il lavoro. Ricaricando ora potresti perderlo.', 'Il browser non ha ricaricato la pagina.', 'Si ricarica tra {seconds} s',
  ],
  nl: [
    'App-update', 'Er is een nieuwe versie', 'Deze pagina moet opnieuw laden', 'De nieuwe versie is niet geladen',
    'Laad opnieuw wanneer het u uitkomt.', 'De app is bijgewerkt en hier ontbreekt een deel ervan.', 'Dit tabblad is opnieuw geladen en gebruikt nog de oude versie.',
    'Opnieuw laden', 'Toch opnieuw laden', 'Later', 'Wacht op: {reasons}', 'Opnieuw laden…',
    'U bent offline. Probeer het opnieuw zodra u verbinding hebt.', 'De server antwoordt niet. Probeer het zo nog eens.',
    'Uw werk kon niet worden opgeslagen en kan bij opnieuw laden verloren gaan.', 'De browser heeft de pagina niet opnieuw geladen.', 'Laadt opnieuw over {seconds} s',
  ],
  pl: [
    'Aktualizacja', 'Dostępna jest nowa wersja', 'Trzeba ponownie wczytać tę stronę', 'Nowa wersja się nie wczytała',
    'Wczytaj ponownie w dogodnej chwili.', 'Aplikację zaktualizowano i brakuje tu jej części.', 'Tę kartę wczytano ponownie, ale nadal działa stara wersja.',
    'Wczytaj ponownie', 'Wczytaj mimo to', 'Później', 'Oczekiwanie: {reasons}', 'Wczytywanie…',
    'Brak połączenia. Spróbuj, gdy wrócisz do sieci.', 'Serwer nie odpowiada. Spróbuj za chwilę.',
    'Nie udało się zapisać pracy. Ponowne wczytanie może ją utracić.', 'Przeglądarka nie wczytała strony ponownie.', 'Ponowne wczytanie za {seconds} s',
  ],
  tr: [
    'Uygulama güncellemesi', 'Yeni sürüm hazır', 'Bu sayfanın yenilenmesi gerekiyor', 'Yeni sürüm yüklenmedi',
    'Uygun olduğunuzda yenileyin.', 'Uygulama güncellendi ve bir bölümü burada eksik.', 'Bu sekme yenilendi ama hâlâ eski sürümü kullanıyor.',
    'Yenile', 'Yine de yenile', 'Daha sonra', 'Bekleniyor: {reasons}', 'Yenileniyor…',
    'Çevrimdışısınız. Bağlanınca yeniden deneyin.', 'Sunucu yanıt vermiyor. Birazdan yeniden deneyin.',
    'Çalışmanız kaydedilemedi. Şimdi yenilerseniz kaybolabilir.', 'Tarayıcı sayfayı yenilemedi.', '{seconds} sn içinde yenilenecek',
  ],
  ru: [
    'Обновление', 'Доступна новая версия', 'Эту страницу нужно перезагрузить', 'Новая версия не загрузилась',
    'Перезагрузите, когда будет удобно.', 'Приложение обновилось, и здесь не хватает его части.', 'Вкладка перезагружена, но в ней всё ещё старая версия.',
    'Перезагрузить', 'Всё равно перезагрузить', 'Позже', 'Ожидание: {reasons}', 'Перезагрузка…',
    'Нет подключения. Повторите, когда оно появится.', 'Сервер не отвечает. Повторите чуть позже.',
    'Не удалось сохранить вашу работу. При перезагрузке она может пропасть.', 'Браузер не перезагрузил страницу.', 'Перезагрузка через {seconds} с',
  ],
  uk: [
    'Оновлення', 'Доступна нова версія', 'Цю сторінку потрібно перезавантажити', 'Нова версія не завантажилася',
    'Перезавантажте, коли буде зручно.', 'Застосунок оновлено, і тут бракує його частини.', 'Вкладку перезавантажено, але в ній досі стара версія.',
    'Перезавантажити', 'Усе одно перезавантажити', 'Пізніше', 'Очікування: {reasons}', 'Перезавантаження…',
    'Немає з’єднання. Повторіть, коли воно з’явиться.', 'Сервер не відповідає. Повторіть трохи згодом.',
    'Не вдалося зберегти вашу роботу. Після перезавантаження вона може зникнути.', 'Браузер не перезавантажив сторінку.', 'Перезавантаження через {seconds} с',
  ],
  ja: [
    'アプリの更新', '新しいバージョンがあります', 'このページの再読み込みが必要です', '新しいバージョンを読み込めませんでした',
    'ご都合のよいときに再読み込みしてください。', 'アプリが更新され、一部を読み込めませんでした。', '再読み込みしましたが、まだ古いバージョンです。',
    '再読み込み', 'それでも再読み込み', 'あとで', '待機中: {reasons}', '再読み込みしています…',
    'オフラインです。接続してからもう一度お試しください。', 'サーバーが応答しません。しばらくしてからお試しください。',
    '作業内容を保存できませんでした。再読み込みすると失われることがあります。', 'ブラウザーがページを再読み込みしませんでした。', '{seconds} 秒後に再読み込みします',
  ],
  zh: [
    '应用更新', '新版本已就绪', '此页面需要重新加载', '新版本未能加载',
    '请在方便时重新加载。', '应用已更新，此处缺少其中一部分。', '此标签页已重新加载，但仍是旧版本。',
    '重新加载', '仍要重新加载', '稍后', '正在等待：{reasons}', '正在重新加载…',
    '您已离线。请在联网后重试。', '服务器没有响应。请稍后重试。',
    '您的工作未能保存，现在重新加载可能会丢失。', '浏览器没有重新加载页面。', '{seconds} 秒后重新加载',
  ],
  ko: [
    '앱 업데이트', '새 버전이 준비되었습니다', '이 페이지를 새로 고쳐야 합니다', '새 버전을 불러오지 못했습니다',
    '편할 때 새로 고치세요.', '앱이 업데이트되어 일부를 불러올 수 없습니다.', '새로 고쳤지만 아직 이전 버전입니다.',
    '새로 고침', '그래도 새로 고침', '나중에', '대기 중: {reasons}', '새로 고치는 중…',
    '오프라인입니다. 연결되면 다시 시도하세요.', '서버가 응답하지 않습니다. 잠시 후 다시 시도하세요.',
    '작업을 저장하지 못했습니다. 지금 새로 고치면 사라질 수 있습니다.', '브라우저가 페이지를 새로 고치지 않았습니다.', '{seconds}초 후 새로 고침',
  ],
  ar: [
    'تحديث التطبيق', 'يتوفر إصدار جديد', 'يلزم إعادة تحميل هذه الصفحة', 'لم يُحمَّل الإصدار الجديد',
    'أعد التحميل في الوقت الذي يناسبك.', 'جرى تحديث التطبيق وجزء منه غير موجود هنا.', 'أُعيد تحميل علامة التبويب وما زالت تعرض الإصدار القديم.',
    'إعادة التحميل', 'إعادة التحميل على أي حال', 'لاحقًا', 'في انتظار: {reasons}', 'جارٍ إعادة التحميل…',
    'أنت غير متصل. حاول مجددًا عند عودة الاتصال.', 'الخادم لا يستجيب. حاول مجددًا بعد قليل.',
    'تعذّر حفظ عملك، وقد يضيع عند إعادة التحميل.', 'لم يُعِد المتصفح تحميل الصفحة.', 'إعادة التحميل خلال {seconds} ث',
  ],
  he: [
    'עדכון היישום', 'גרסה חדשה מוכנה', 'צריך לטעון מחדש את הדף', 'הגרסה החדשה לא נטענה',
    'אפשר לטעון מחדש כשנוח לך.', 'היישום עודכן וחלק ממנו חסר כאן.', 'הכרטיסייה נטענה מחדש ועדיין מציגה את הגרסה הישנה.',
    'טעינה מחדש', 'לטעון מחדש בכל זאת', 'אחר כך', 'בהמתנה ל: {reasons}', 'נטען מחדש…',
    'אין חיבור. אפשר לנסות שוב כשהחיבור יחזור.', 'השרת אינו עונה. אפשר לנסות שוב בעוד רגע.',
    'לא ניתן היה לשמור את העבודה, וטעינה מחדש עלולה למחוק אותה.', 'הדפדפן לא טען מחדש את הדף.', 'נטען מחדש בעוד {seconds} שנ׳',
  ],
  hi: [
    'ऐप अपडेट', 'नया संस्करण तैयार है', 'इस पेज को फिर से लोड करना होगा', 'नया संस्करण लोड नहीं हुआ',
    'जब सुविधा हो, फिर से लोड करें।', 'ऐप अपडेट हुआ है और उसका एक हिस्सा यहाँ नहीं है।', 'यह टैब फिर से लोड हुआ, पर अब भी पुराना संस्करण है।',
    'फिर से लोड करें', 'फिर भी लोड करें', 'बाद में', 'प्रतीक्षा: {reasons}', 'फिर से लोड हो रहा है…',
    'आप ऑफ़लाइन हैं। कनेक्ट होने पर फिर कोशिश करें।', 'सर्वर जवाब नहीं दे रहा। थोड़ी देर में फिर कोशिश करें।',
    'आपका काम सहेजा नहीं जा सका। अभी लोड करने पर वह खो सकता है।', 'ब्राउज़र ने पेज फिर से लोड नहीं किया।', '{seconds} सेकंड में फिर से लोड होगा',
  ],
};

const RIGHT_TO_LEFT = ['ar', 'he'];
const OLD_CODES = { iw: 'he' };

/**
 * The texts of the prompt, their language and its direction.
 *
 * @param {(string | null | undefined)[]} wanted BCP 47 tags, the most wanted first
 * @param {Record<string, string> | null} [replaced] texts that replace the built-in ones
 */
export function chooseLabels(wanted, replaced) {
  let lang = 'en';
  for (const tag of wanted) {
    const primary = String(tag ?? '').toLowerCase().split(/[-_]/)[0];
    const known = OLD_CODES[primary] ?? primary;
    if (!Object.keys(LANGUAGES).includes(known)) continue;
    lang = known;
    break;
  }
  const labels = Object.fromEntries(KEYS.map((key, index) => [key, LANGUAGES[lang][index]]));
  for (const key of KEYS) if (typeof replaced?.[key] === 'string') labels[key] = replaced[key];
  return { lang, dir: RIGHT_TO_LEFT.includes(lang) ? 'rtl' : 'ltr', labels };
}

/** The languages the prompt speaks. */
export const languages = Object.keys(LANGUAGES);
