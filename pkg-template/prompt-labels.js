// What the prompt says, in the languages it knows; the keys are those of `Labels` in index.d.ts.
/** @import { Labels } from './index.js' */

/** @type {(keyof Labels)[]} */
const KEYS = [
  'region', 'title', 'requiredTitle', 'retryTitle', 'text', 'requiredText', 'retryText', 'reload', 'reloadAnyway', 'later',
  'waiting', 'reloading', 'offline', 'unreachable', 'stateNotSaved', 'reloadIgnored', 'countdown',
];

/**
 * One list a language, in the order of KEYS. `{reasons}` and `{seconds}` are replaced.
 *
 * @type {{ [language: string]: string[] }}
 */
const LANGUAGES = {
  en: [
    'App update', 'A new version is ready', 'This page needs to reload', 'The new version did not load',
    'Reload when it suits you.', 'A part of the app could not be loaded.', 'This tab still runs the old version.',
    'Reload', 'Reload anyway', 'Later', 'Waiting for: {reasons}', 'Reloading…',
    'You are offline.', 'The server does not answer.',
    'Your work could not be saved and may be lost.', 'The browser did not reload the page.', 'Reloads in {seconds} s',
  ],
  de: [
    'App-Aktualisierung', 'Eine neue Version ist da', 'Diese Seite muss neu laden', 'Die neue Version wurde nicht geladen',
    'Laden Sie neu, wann es Ihnen passt.', 'Ein Teil der App konnte nicht geladen werden.', 'Dieser Tab zeigt noch die alte Version.',
    'Neu laden', 'Trotzdem neu laden', 'Später', 'Wartet auf: {reasons}', 'Wird neu geladen…',
    'Sie sind offline.', 'Der Server antwortet nicht.',
    'Ihre Arbeit konnte nicht gesichert werden und kann verloren gehen.', 'Der Browser hat die Seite nicht neu geladen.', 'Lädt in {seconds} s neu',
  ],
  fr: [
    'Mise à jour', 'Une nouvelle version est prête', 'Cette page doit être rechargée', 'La nouvelle version ne s’est pas chargée',
    'Rechargez quand cela vous convient.', 'Une partie de l’application n’a pas pu se charger.', 'Cet onglet utilise encore l’ancienne version.',
    'Recharger', 'Recharger quand même', 'Plus tard', 'En attente de : {reasons}', 'Rechargement…',
    'Vous êtes hors ligne.', 'Le serveur ne répond pas.',
    'Votre travail n’a pas pu être enregistré et pourrait être perdu.', 'Le navigateur n’a pas rechargé la page.', 'Rechargement dans {seconds} s',
  ],
  es: [
    'Actualización', 'Hay una versión nueva', 'Hay que recargar esta página', 'La versión nueva no se ha cargado',
    'Recarga cuando te venga bien.', 'No se ha podido cargar una parte de la aplicación.', 'Esta pestaña sigue con la versión anterior.',
    'Recargar', 'Recargar igualmente', 'Más tarde', 'Esperando: {reasons}', 'Recargando…',
    'No tienes conexión.', 'El servidor no responde.',
    'No se ha podido guardar tu trabajo y puede perderse.', 'El navegador no ha recargado la página.', 'Se recarga en {seconds} s',
  ],
  pt: [
    'Atualização', 'Há uma nova versão', 'É preciso recarregar esta página', 'A nova versão não carregou',
    'Recarregue quando for conveniente.', 'Não foi possível carregar uma parte do aplicativo.', 'Esta aba ainda usa a versão antiga.',
    'Recarregar', 'Recarregar mesmo assim', 'Mais tarde', 'Aguardando: {reasons}', 'Recarregando…',
    'Você está sem conexão.', 'O servidor não responde.',
    'Não foi possível salvar seu trabalho, e ele pode se perder.', 'O navegador não recarregou a página.', 'Recarrega em {seconds} s',
  ],
  it: [
    'Aggiornamento', 'È pronta una nuova versione', 'Questa pagina va ricaricata', 'La nuova versione non si è caricata',
    'Ricarica quando ti è comodo.', 'Non è stato possibile caricare una parte dell’app.', 'Questa scheda usa ancora la versione precedente.',
    'Ricarica', 'Ricarica comunque', 'Più tardi', 'In attesa di: {reasons}', 'Ricaricamento…',
    'Sei offline.', 'Il server non risponde.',
    'Non è stato possibile salvare il lavoro, che potrebbe andare perso.', 'Il browser non ha ricaricato la pagina.', 'Si ricarica tra {seconds} s',
  ],
  nl: [
    'App-update', 'Er is een nieuwe versie', 'Deze pagina moet opnieuw laden', 'De nieuwe versie is niet geladen',
    'Laad opnieuw wanneer het u uitkomt.', 'Een deel van de app kon niet worden geladen.', 'Dit tabblad gebruikt nog de oude versie.',
    'Opnieuw laden', 'Toch opnieuw laden', 'Later', 'Wacht op: {reasons}', 'Opnieuw laden…',
    'U bent offline.', 'De server antwoordt niet.',
    'Uw werk kon niet worden opgeslagen en kan verloren gaan.', 'De browser heeft de pagina niet opnieuw geladen.', 'Laadt opnieuw over {seconds} s',
  ],
  pl: [
    'Aktualizacja', 'Dostępna jest nowa wersja', 'Trzeba ponownie wczytać tę stronę', 'Nowa wersja się nie wczytała',
    'Wczytaj ponownie w dogodnej chwili.', 'Nie udało się wczytać części aplikacji.', 'W tej karcie nadal działa stara wersja.',
    'Wczytaj ponownie', 'Wczytaj mimo to', 'Później', 'Oczekiwanie: {reasons}', 'Wczytywanie…',
    'Brak połączenia z siecią.', 'Serwer nie odpowiada.',
    'Nie udało się zapisać pracy i może ona przepaść.', 'Przeglądarka nie wczytała strony ponownie.', 'Ponowne wczytanie za {seconds} s',
  ],
  tr: [
    'Uygulama güncellemesi', 'Yeni sürüm hazır', 'Bu sayfanın yenilenmesi gerekiyor', 'Yeni sürüm yüklenmedi',
    'Uygun olduğunuzda yenileyin.', 'Uygulamanın bir bölümü yüklenemedi.', 'Bu sekme hâlâ eski sürümü kullanıyor.',
    'Yenile', 'Yine de yenile', 'Daha sonra', 'Bekleniyor: {reasons}', 'Yenileniyor…',
    'Çevrimdışısınız.', 'Sunucu yanıt vermiyor.',
    'Çalışmanız kaydedilemedi ve kaybolabilir.', 'Tarayıcı sayfayı yenilemedi.', '{seconds} sn içinde yenilenecek',
  ],
  ru: [
    'Обновление', 'Доступна новая версия', 'Эту страницу нужно перезагрузить', 'Новая версия не загрузилась',
    'Перезагрузите, когда будет удобно.', 'Часть приложения не загрузилась.', 'В этой вкладке всё ещё старая версия.',
    'Перезагрузить', 'Всё равно перезагрузить', 'Позже', 'Ожидание: {reasons}', 'Перезагрузка…',
    'Нет подключения к сети.', 'Сервер не отвечает.',
    'Не удалось сохранить вашу работу, она может пропасть.', 'Браузер не перезагрузил страницу.', 'Перезагрузка через {seconds} с',
  ],
  uk: [
    'Оновлення', 'Доступна нова версія', 'Цю сторінку потрібно перезавантажити', 'Нова версія не завантажилася',
    'Перезавантажте, коли буде зручно.', 'Частина застосунку не завантажилася.', 'У цій вкладці досі стара версія.',
    'Перезавантажити', 'Усе одно перезавантажити', 'Пізніше', 'Очікування: {reasons}', 'Перезавантаження…',
    'Немає з’єднання з мережею.', 'Сервер не відповідає.',
    'Не вдалося зберегти вашу роботу, вона може зникнути.', 'Браузер не перезавантажив сторінку.', 'Перезавантаження через {seconds} с',
  ],
  ja: [
    'アプリの更新', '新しいバージョンがあります', 'このページの再読み込みが必要です', '新しいバージョンを読み込めませんでした',
    'ご都合のよいときに再読み込みしてください。', 'アプリの一部を読み込めませんでした。', 'このタブはまだ古いバージョンです。',
    '再読み込み', 'それでも再読み込み', 'あとで', '待機中: {reasons}', '再読み込みしています…',
    'オフラインです。', 'サーバーが応答しません。',
    '作業内容を保存できませんでした。失われることがあります。', 'ブラウザーがページを再読み込みしませんでした。', '{seconds} 秒後に再読み込みします',
  ],
  zh: [
    '应用更新', '新版本已就绪', '此页面需要重新加载', '新版本未能加载',
    '请在方便时重新加载。', '应用的一部分未能加载。', '此标签页仍是旧版本。',
    '重新加载', '仍要重新加载', '稍后', '正在等待：{reasons}', '正在重新加载…',
    '您已离线。', '服务器没有响应。',
    '您的工作未能保存，可能会丢失。', '浏览器没有重新加载页面。', '{seconds} 秒后重新加载',
  ],
  ko: [
    '앱 업데이트', '새 버전이 준비되었습니다', '이 페이지를 새로 고쳐야 합니다', '새 버전을 불러오지 못했습니다',
    '편할 때 새로 고치세요.', '앱의 일부를 불러오지 못했습니다.', '이 탭은 아직 이전 버전입니다.',
    '새로 고침', '그래도 새로 고침', '나중에', '대기 중: {reasons}', '새로 고치는 중…',
    '오프라인입니다.', '서버가 응답하지 않습니다.',
    '작업을 저장하지 못했습니다. 사라질 수 있습니다.', '브라우저가 페이지를 새로 고치지 않았습니다.', '{seconds}초 후 새로 고침',
  ],
  ar: [
    'تحديث التطبيق', 'يتوفر إصدار جديد', 'يلزم إعادة تحميل هذه الصفحة', 'لم يُحمَّل الإصدار الجديد',
    'أعد التحميل في الوقت الذي يناسبك.', 'تعذّر تحميل جزء من التطبيق.', 'ما زالت علامة التبويب هذه تعرض الإصدار القديم.',
    'إعادة التحميل', 'إعادة التحميل على أي حال', 'لاحقًا', 'في انتظار: {reasons}', 'جارٍ إعادة التحميل…',
    'أنت غير متصل.', 'الخادم لا يستجيب.',
    'تعذّر حفظ عملك، وقد يضيع.', 'لم يُعِد المتصفح تحميل الصفحة.', 'إعادة التحميل خلال {seconds} ث',
  ],
  he: [
    'עדכון היישום', 'גרסה חדשה מוכנה', 'צריך לטעון מחדש את הדף', 'הגרסה החדשה לא נטענה',
    'אפשר לטעון מחדש כשנוח לך.', 'חלק מהיישום לא נטען.', 'הכרטיסייה עדיין מציגה את הגרסה הישנה.',
    'טעינה מחדש', 'לטעון מחדש בכל זאת', 'אחר כך', 'בהמתנה ל: {reasons}', 'נטען מחדש…',
    'אין חיבור לרשת.', 'השרת אינו עונה.',
    'לא ניתן היה לשמור את העבודה, והיא עלולה להימחק.', 'הדפדפן לא טען מחדש את הדף.', 'נטען מחדש בעוד {seconds} שנ׳',
  ],
  hi: [
    'ऐप अपडेट', 'नया संस्करण तैयार है', 'इस पेज को फिर से लोड करना होगा', 'नया संस्करण लोड नहीं हुआ',
    'जब सुविधा हो, फिर से लोड करें।', 'ऐप का एक हिस्सा लोड नहीं हो सका।', 'इस टैब में अब भी पुराना संस्करण है।',
    'फिर से लोड करें', 'फिर भी लोड करें', 'बाद में', 'प्रतीक्षा: {reasons}', 'फिर से लोड हो रहा है…',
    'आप ऑफ़लाइन हैं।', 'सर्वर जवाब नहीं दे रहा।',
    'आपका काम सहेजा नहीं जा सका और खो सकता है।', 'ब्राउज़र ने पेज फिर से लोड नहीं किया।', '{seconds} सेकंड में फिर से लोड होगा',
  ],
};

const RIGHT_TO_LEFT = ['ar', 'he'];
/** @type {{ [language: string]: string }} */
const OLD_CODES = { iw: 'he' };

/**
 * The texts of the prompt, their language and its direction.
 *
 * @param {(string | null | undefined)[]} wanted BCP 47 tags, the most wanted first
 * @param {Partial<Labels> | null} [replaced] texts that replace the built-in ones
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
  const labels = /** @type {Record<keyof Labels, string>} */ (Object.fromEntries(KEYS.map((key, index) => [key, LANGUAGES[lang][index]])));
  for (const key of KEYS) if (typeof replaced?.[key] === 'string') labels[key] = replaced[key];
  return { lang, dir: RIGHT_TO_LEFT.includes(lang) ? 'rtl' : 'ltr', labels };
}

/** The languages the prompt speaks. */
export const languages = Object.keys(LANGUAGES);
